"""What becomes of drafts by themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.changes.models import ClientChanges
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_drafts.sweeping import expire_drafts, sweep_drafts
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.database import Database
from tests.examples import NOW, ORGANIZATION

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    yield database
    await database.engine.dispose()


async def draft(
    database: Database,
    *,
    status: DraftStatus = DraftStatus.PENDING,
    expires_at: datetime = NOW,
    decided_at: datetime | None = None,
) -> UUID:
    row = ClientDraft(
        client_id=uuid4(),
        client_system_id="epj",
        api_key_prefix="abc",
        organization_number=ORGANIZATION,
        asked=AskedFor(api_scopes=[]),
        public_key=StoredKey(uuid4().hex, "kid", {}),
        status=status,
        created_at=NOW - DAY,
        expires_at=expires_at,
        decided_at=decided_at,
    )
    async with database.sessions.begin() as db:
        db.add(row)
    return row.client_id


async def left(database: Database) -> dict[UUID, DraftStatus]:
    async with database.sessions() as db:
        rows = await db.execute(select(ClientDraft.client_id, ClientDraft.status))
        return {row.client_id: row.status for row in rows}


async def test_a_draft_expires_at_its_time_and_those_who_wait_are_told(database: Database) -> None:
    over = await draft(database)
    waiting = await draft(database, expires_at=NOW + MOMENT)
    confirmed = await draft(database, status=DraftStatus.CONFIRMED, decided_at=NOW)
    assert await expire_drafts(database.sessions, now=NOW)
    assert not await expire_drafts(database.sessions, now=NOW)
    assert await left(database) == {
        over: DraftStatus.EXPIRED,
        waiting: DraftStatus.PENDING,
        confirmed: DraftStatus.CONFIRMED,
    }
    async with database.sessions() as db:
        assert [row.client_id for row in await db.scalars(select(ClientChanges))] == [over]


@pytest.mark.race
async def test_each_draft_expires_once(database: Database) -> None:
    for _ in range(10):
        await draft(database)

    async def expire_all() -> None:
        while await expire_drafts(database.sessions, now=NOW):
            pass

    await asyncio.gather(*(expire_all() for _ in range(8)))
    await expire_all()
    async with database.sessions() as db:
        counters = [row.counter for row in await db.scalars(select(ClientChanges))]
    assert counters == [1] * 10


async def test_a_draft_that_is_over_is_readable_for_thirty_days(database: Database) -> None:
    old, young = NOW - 30 * DAY - MOMENT, NOW - 30 * DAY
    for status in (DraftStatus.CONFIRMED, DraftStatus.DECLINED):
        await draft(database, status=status, expires_at=old, decided_at=old)
    await draft(database, status=DraftStatus.EXPIRED, expires_at=old)
    kept = {
        await draft(database, status=DraftStatus.CONFIRMED, expires_at=old, decided_at=young),
        await draft(database, status=DraftStatus.EXPIRED, expires_at=young),
        await draft(database, expires_at=old),
    }
    assert not await sweep_drafts(database.sessions, now=NOW)
    assert set(await left(database)) == kept
