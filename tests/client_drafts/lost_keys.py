"""An installation that has lost its key, and asks for a new one in its place."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from msgspec import Struct
from sqlalchemy import select, update

from app.client_drafts.models import ClientDraft
from app.client_drafts.replacement import exchange_due
from app.client_drafts.use_cases import Decided
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from tests.installers.keys import InstallersKey, ec_key
from tests.serving import CLIENT_SCOPE, FJORD, Client, Service, a_draft

DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Lost(Struct):
    """A client, and the draft for its new key."""

    service: Service
    old: Client
    key: InstallersKey
    draft_id: UUID
    told: dict[str, Any]

    @property
    def client_id(self) -> UUID:
        return self.old.client_id

    async def draft(self) -> ClientDraft:
        async with self.service.database.sessions() as db:
            return await db.get_one(ClientDraft, self.draft_id)

    async def keys(self) -> dict[str, KeyState]:
        rows = await self.service.ask(
            select(ClientKey).where(ClientKey.client_id == self.client_id)
        )
        return {row.thumbprint: row.state for row in rows}

    async def confirm(self) -> Decided:
        return await self.service.confirm(self.draft_id)

    async def exchanges(self) -> bool:
        return await exchange_due(
            self.service.database.sessions,
            await self.service.app.state.catalogues.in_force(),
            self.service.settings,
            now=self.service.now,
        )

    def with_new_key(self) -> Client:
        return Client(self.service, self.client_id, self.key)


async def ask(service: Service, old: Client, **members: Any) -> httpx2.Response:
    api_key = members.pop("api_key", FJORD)
    key = members.pop("key", None)
    return await service.draft(
        a_draft(key, replacesKeysOf=str(old.client_id), **members), api_key=api_key
    )


async def lost(
    service: Service, *, seen: timedelta | None = None, old: Client | None = None, **members: Any
) -> Lost:
    """`seen` is how long ago the old key was seen here."""
    old = old or await service.client(
        apiScopes=[CLIENT_SCOPE, "nhn:msh/api"],
        audienceSpecificClientClaims=[{"key": "herid", "value": "0"}],
        redirectUris=["http://localhost:1337/callback"],
    )
    async with service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey)
            .where(ClientKey.client_id == old.client_id)
            .values(last_used_at=None if seen is None else service.now - seen)
        )
    key = ec_key()
    answer = await ask(service, old, key=key, **members)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    draft_id = UUID(told["confirmUrl"].rsplit("/", 1)[1])
    return Lost(service, old, key, draft_id, told)
