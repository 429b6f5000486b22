"""A client's keys, as they are seen over HTTP and changed behind it."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
from sqlalchemy import select, update

from app.changes.models import ClientChanges
from app.client_keys.models import ClientKey
from app.publications.models import Publication
from tests.installers.keys import InstallersKey
from tests.serving import Client, problem_of

SECRET = "/v1/client-secret"


async def keys(client: Client, include: str = "live") -> list[dict[str, Any]]:
    answer = await client.get(f"{SECRET}?include={include}")
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()
    return listed


async def wanted(client: Client) -> tuple[int, int]:
    """What the issuer has to know, and what a reader could have seen."""
    publication = select(Publication.wanted).where(Publication.client_id == client.client_id)
    counter = select(ClientChanges.counter).where(ClientChanges.client_id == client.client_id)
    ask = client.service.ask
    return (await ask(publication))[0], (await ask(counter))[0]


async def set_state(client: Client, key: InstallersKey, **values: Any) -> None:
    async with client.service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey).where(ClientKey.thumbprint == key.thumbprint).values(**values)
        )


def kind(answer: httpx2.Response) -> str:
    found: str = problem_of(answer)["type"].rpartition("/")[2]
    return found


async def at_once(count: int, post: Any) -> Counter[str]:
    answers = await asyncio.gather(*(post(number) for number in range(count)))
    return Counter("ok" if answer.is_success else kind(answer) for answer in answers)
