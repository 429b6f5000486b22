"""The service in this process, a draft in its database, and a browser that sends what browsers do.

The token issuer is away: a session is begun as the callback begins it.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
from msgspec import Struct
from sqlalchemy import update

from app.access.callers import Origin
from app.access.login_issuer import Identity
from app.access.login_sessions import Goal, start_session
from app.access.person_numbers import PersonNumber
from app.apis.models import CatalogueVersion
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.organizations.models import Organization
from app.organizations.register import Verdict
from tests.approvals.examples import CLIENT_SCOPE
from tests.examples import NOW, ORGANIZATION
from tests.publications.examples import WITH_SYSTEM
from tests.serving import Service, serving

RETURN = "http://localhost:8765/done"
NAME = "Kari Nordmann"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def serving_pages(database_url: str, **settings: Any) -> AsyncIterator[Service]:
    async with serving(database_url, **settings) as service:
        await service.add(CatalogueVersion(content=WITH_SYSTEM, applied_at=NOW))
        await service.add(an_organization())
        yield service


async def stored_draft(service: Service, client_id: UUID) -> ClientDraft:
    async with service.database.sessions() as db:
        return await db.get_one(ClientDraft, client_id)


async def status_of(service: Service, client_id: UUID) -> DraftStatus:
    return (await stored_draft(service, client_id)).status


async def renamed(service: Service, **values: Any) -> None:
    async with service.database.sessions() as db, db.begin():
        await db.execute(update(Organization).values(**values))


def a_draft(**more: Any) -> ClientDraft:
    asked: dict[str, Any] = {
        "post_client_confirmation_redirect_uri": RETURN,
        "api_scopes": [CLIENT_SCOPE],
    }
    asked |= {name: more.pop(name) for name in list(more) if name in AskedFor.__struct_fields__}
    thumbprint = uuid4().hex
    given: dict[str, Any] = {
        "client_id": uuid4(),
        "client_system_id": "epj",
        "api_key_prefix": "sandbox",
        "organization_number": ORGANIZATION,
        "asked": AskedFor(**asked),
        "public_key": StoredKey(thumbprint, thumbprint, {"kty": "EC"}),
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=24),
    }
    return ClientDraft(**(given | more))


async def drafted(service: Service, **more: Any) -> UUID:
    draft = a_draft(**more)
    await service.add(draft)
    return draft.client_id


def an_organization() -> Organization:
    return Organization(
        organization_number=ORGANIZATION,
        verdict=Verdict.MAIN_UNIT,
        name="FJORDBYEN LEGESENTER AS",
        checked_at=NOW,
    )


class Visitor(Struct):
    """A browser whose person has logged in for one draft."""

    browser: httpx2.AsyncClient
    client_id: UUID

    @property
    def page(self) -> str:
        return f"/confirm-client/{self.client_id}"

    async def open(self, below: str = "") -> httpx2.Response:
        return await self.browser.get(f"{self.page}{below}")

    async def token(self) -> str:
        found = re.search(r'name="formToken" value="([0-9a-f]+)"', (await self.open()).text)
        assert found
        return found[1]

    async def decide(
        self, action: str = "confirm", *, headers: dict[str, str] = SAME_ORIGIN, **fields: str
    ) -> httpx2.Response:
        given = {"action": action, "reason": "unsure", **fields}
        if "formToken" not in given:
            given["formToken"] = await self.token()
        return await self.send(given, headers)

    async def send(
        self, fields: dict[str, str], headers: dict[str, str] = SAME_ORIGIN
    ) -> httpx2.Response:
        return await self.browser.post(f"{self.page}/decision", data=fields, headers=headers)


@asynccontextmanager
async def visiting(
    service: Service,
    client_id: UUID,
    *,
    subject: str = "kari",
    level: int = 4,
    logged_in: timedelta = timedelta(),
    redirect: tuple[int, str] | tuple[None, None] = (None, None),
    person: PersonNumber | None = None,
) -> AsyncIterator[Visitor]:
    """`logged_in` is how long ago."""
    now = datetime.now(UTC)
    async with service.database.sessions() as db:
        secret = await start_session(
            db,
            Goal(client_id, "nb", *redirect),
            Identity(subject, NAME, level, now - logged_in, person),
            origin=Origin("192.0.2.1", "request"),
            ends=None,
            secret_key=service.settings.secret_key,
            now=now,
        )
    async with service.browser() as browser:
        browser.cookies.set("session", secret)
        yield Visitor(browser, client_id)
