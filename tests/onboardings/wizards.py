"""Whoever reads onboardings in these tests: a draft, and the token that came with it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
from msgspec import Struct
from msgspec.structs import replace

from tests.installers.keys import InstallersKey, ec_key
from tests.serving import FJORD, Service, a_draft


class Wizard(Struct):
    """A draft, and the token that reads what becomes of it."""

    service: Service
    key: InstallersKey
    client_id: str
    token: str
    created: dict[str, Any]

    async def read(self, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.service.http.get(
            f"/v1/onboardings/{self.client_id}",
            headers={"Authorization": f"Bearer {self.token}"} | named,
        )

    async def onboarding(self) -> dict[str, Any]:
        answer = await self.read()
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def lengthen(self, content: bytes = b"", **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.service.http.post(
            f"/v1/onboardings/{self.client_id}/confirm-link",
            headers={"Authorization": f"Bearer {self.token}"} | named,
            content=content,
        )

    async def confirm(self) -> None:
        await self.service.confirm(UUID(self.client_id))


async def a_wizard(service: Service, api_key: str = FJORD, **members: Any) -> Wizard:
    key = ec_key()
    answer = await service.draft(a_draft(key, **members), api_key=api_key)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return Wizard(service, key, body["clientId"], body["onboardingToken"], body)


async def a_wizard_in_place_of(old: Wizard, api_key: str = FJORD) -> Wizard:
    """It has a new key for the other's client."""
    new = await a_wizard(old.service, api_key, replacesKeysOf=old.client_id)
    draft_id = new.created["onboardingUrl"].rsplit("/", 1)[1]
    return replace(new, client_id=draft_id)


def by_code(onboarding: dict[str, Any], code: str) -> dict[str, Any]:
    [step] = [step for step in onboarding["steps"] if step["code"] == code]
    return dict(step)


def right_in(onboarding: dict[str, Any]) -> tuple[str, str, str | None]:
    """The outcome, and how the one right stands that it needs."""
    step = by_code(onboarding, "delegateRight")
    assert "«Databehandler kan opptre for virksomheten i HelseID»" in step["title"]["nb"]
    return onboarding["outcome"], step["status"], step["reasonCode"]


@asynccontextmanager
async def waiting(
    wizard: Wizard, seconds: int = 20
) -> AsyncIterator[asyncio.Task[httpx2.Response]]:
    """The answer that is held, and has been for a moment."""
    now = await wizard.read()
    assert now.status_code == 200, now.text
    task = asyncio.create_task(
        wizard.read(if_none_match=now.headers["etag"], prefer=f"wait={seconds}")
    )
    await asyncio.sleep(0.1)
    assert not task.done()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def told(step: Mapping[str, Any], *, nb: str, nn: str, en: str) -> bool:
    """Whether the step's help has these words, each in its language."""
    said, expected = step["help"], {"nb": nb, "nn": nn, "en": en}
    assert said.keys() == step["title"].keys() == expected.keys()
    assert len(set(said.values())) == 3
    lacking = {lang: said[lang] for lang, words in expected.items() if words not in said[lang]}
    assert lacking == {}
    return True
