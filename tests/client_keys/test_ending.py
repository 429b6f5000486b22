"""How keys begin and end by themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.client_keys.ending import end_keys, keys_published
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.database import Database
from app.publications.models import Publication
from tests.approvals.examples import new_client
from tests.examples import NOW
from tests.publications.examples import new_key

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    yield database
    await database.engine.dispose()


async def key_in(
    database: Database,
    state: KeyState,
    *,
    expires_at: datetime | None = None,
    retires_at: datetime | None = None,
) -> tuple[UUID, str]:
    async with database.sessions.begin() as db:
        client_id = await new_client(db)
        key = new_key(client_id, expires_at)
        key.state, key.retires_at = state, retires_at
        db.add(key)
    return client_id, key.thumbprint


async def state_of(database: Database, thumbprint: str) -> KeyState:
    async with database.sessions() as db:
        return (await db.get_one(ClientKey, thumbprint)).state


@pytest.mark.parametrize(
    ("state", "expires_at", "retires_at", "becomes"),
    [
        (KeyState.ACTIVE, NOW, None, KeyState.EXPIRED),
        (KeyState.ACTIVATING, NOW, None, KeyState.EXPIRED),
        (KeyState.RETIRING, NOW, NOW + HOUR, KeyState.EXPIRED),
        (KeyState.RETIRING, NOW + HOUR, NOW, KeyState.RETIRED),
        (KeyState.RETIRING, None, NOW, KeyState.RETIRED),
        (KeyState.RETIRING, NOW - HOUR, NOW, KeyState.EXPIRED),
        (KeyState.RETIRING, NOW, NOW - HOUR, KeyState.RETIRED),
    ],
)
async def test_a_key_ends_at_its_time_and_the_issuer_is_told(
    database: Database,
    state: KeyState,
    expires_at: datetime | None,
    retires_at: datetime | None,
    becomes: KeyState,
) -> None:
    client_id, thumbprint = await key_in(
        database, state, expires_at=expires_at, retires_at=retires_at
    )
    assert await end_keys(database.sessions, now=NOW)
    assert not await end_keys(database.sessions, now=NOW)
    assert await state_of(database, thumbprint) == becomes
    async with database.sessions() as db:
        assert (await db.get_one(Publication, client_id)).wanted == 1
        assert (await db.get_one(ClientChanges, client_id)).counter == 1
        [event] = await db.scalars(select(AuditEvent))
        assert event.details == {"key": thumbprint, "before": state, "after": becomes}


@pytest.mark.parametrize(
    ("state", "expires_at", "retires_at"),
    [
        (KeyState.ACTIVE, NOW + MOMENT, None),
        (KeyState.ACTIVE, None, None),
        (KeyState.RETIRING, NOW + MOMENT, NOW + MOMENT),
        (KeyState.RETIRED, NOW - HOUR, NOW - HOUR),
        (KeyState.EXPIRED, NOW - HOUR, None),
        (KeyState.REVOKED, NOW - HOUR, None),
    ],
)
async def test_a_key_whose_time_has_not_come_or_is_past_is_left_alone(
    database: Database, state: KeyState, expires_at: datetime | None, retires_at: datetime | None
) -> None:
    _, thumbprint = await key_in(database, state, expires_at=expires_at, retires_at=retires_at)
    assert not await end_keys(database.sessions, now=NOW)
    assert await state_of(database, thumbprint) == state


@pytest.mark.race
async def test_each_key_is_ended_once_by_however_many(database: Database) -> None:
    for _ in range(10):
        await key_in(database, KeyState.ACTIVE, expires_at=NOW)

    async def end_all() -> None:
        while await end_keys(database.sessions, now=NOW):
            pass

    await asyncio.gather(*(end_all() for _ in range(8)))
    await end_all()
    async with database.sessions() as db:
        assert len((await db.scalars(select(AuditEvent))).all()) == 10


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (KeyState.ACTIVATING, KeyState.ACTIVE),
        (KeyState.RETIRING, KeyState.RETIRING),
        (KeyState.REVOKED, KeyState.REVOKED),
    ],
)
async def test_publication_activates_only_keys_that_waited_for_it(
    database: Database, state: KeyState, becomes: KeyState
) -> None:
    client_id, thumbprint = await key_in(database, state)
    other, other_thumbprint = await key_in(database, KeyState.ACTIVATING)
    async with database.sessions.begin() as db:
        await keys_published(db, client_id, [thumbprint, other_thumbprint], now=NOW)
    assert await state_of(database, thumbprint) == becomes
    assert await state_of(database, other_thumbprint) == KeyState.ACTIVATING
    async with database.sessions() as db:
        changed = await db.get(ClientChanges, client_id)
        assert (changed is not None) == (state != becomes)
        assert await db.get(ClientChanges, other) is None
