"""Writing a new draft down: once, where its sender has named the request."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from app.access.callers import CallingSystem
from app.access.idempotency import Once
from app.access.public_jwk import PublicKey
from app.audit.trail import Happened
from app.client_drafts.queries import KEEP_DRAFT
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.database import Connection, Database


class CreatedDraft(Struct, frozen=True):
    """What the answer is made of. It may be kept for a day, so it holds no secret."""

    client_id: UUID
    thumbprint: str
    expires_at: datetime
    external_ref: str | None
    warnings: list[str]
    activation: bool
    replaces_keys_of: UUID | None = None


class NewDraft(Struct, frozen=True):
    """A draft that nothing stands against."""

    created: CreatedDraft
    organization_number: str
    asked: AskedFor
    key: PublicKey
    pairing: bool


class Created(Struct, frozen=True):
    draft: CreatedDraft
    hints: Mapping[str, str]
    """Headers that tell of the limits."""
    replayed: bool = False


async def earlier_draft(database: Database, once: Once) -> CreatedDraft | None:
    """What was answered to the same request before."""
    async with database.reads.acquire() as connection:
        return await once.earlier(connection, CreatedDraft)


async def keep_draft(
    database: Database,
    caller: CallingSystem,
    draft: NewDraft,
    once: Once | None,
    hints: Mapping[str, str],
    now: datetime,
) -> Created:
    async with database.writes.acquire() as connection:
        if once is None:
            await _keep(connection, caller, draft, now)
            return Created(draft.created, hints)
        async with connection.transaction():
            # The same request may have been answered since it was looked for.
            earlier = await once.begin(connection, CreatedDraft)
            if earlier is None:
                await _keep(connection, caller, draft, now)
                await once.keep(connection, draft.created)
            return Created(earlier or draft.created, hints, replayed=earlier is not None)


async def _keep(
    connection: Connection, caller: CallingSystem, draft: NewDraft, now: datetime
) -> None:
    created, key, actor = draft.created, draft.key, caller.actor
    stored = StoredKey(key.thumbprint, key.kid, key.parameters)
    await KEEP_DRAFT.row(
        connection,
        client_id=created.client_id,
        client_system_id=caller.client_system_id,
        api_key_prefix=caller.api_key_prefix,
        organization_number=draft.organization_number,
        asked=msgspec.json.encode(draft.asked).decode(),
        public_key=msgspec.json.encode(stored).decode(),
        pairing=draft.pairing,
        activation=created.activation,
        replaces_keys_of=created.replaces_keys_of,
        external_ref=created.external_ref,
        created_at=now,
        expires_at=created.expires_at,
        happened=Happened.DRAFT_CREATED.value,
        actor=actor.name,
        subject=str(created.client_id),
        source=actor.source,
        request_id=actor.request_id,
    )
