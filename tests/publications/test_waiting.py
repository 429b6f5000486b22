"""Waiting until the issuer knows."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from app.changes.listener import ClientEvents
from app.database import Database
from app.publications.models import Publication
from app.publications.queries import DONE_CHANNEL
from app.publications.waiting import published
from tests.publications.conftest import PublishOne
from tests.publications.examples import (
    RecordingIssuer,
    catalogue_applied,
    change,
    client_to_publish,
)

LONG, SHORT = timedelta(seconds=5), timedelta(seconds=0.2)


@pytest.fixture
async def events(database_url: str) -> AsyncIterator[ClientEvents]:
    async with ClientEvents(database_url, [DONE_CHANNEL]) as events:
        await asyncio.wait_for(events.listening.wait(), 5)
        yield events


@pytest.fixture
async def client_id(database: Database) -> UUID:
    async with database.sessions.begin() as db:
        await catalogue_applied(db)
        return (await client_to_publish(db))[0]


@pytest.mark.alone
async def test_who_waits_is_woken_as_soon_as_the_issuer_knows(
    database: Database, events: ClientEvents, publish_one: PublishOne, client_id: UUID
) -> None:
    waiting = [
        asyncio.create_task(published(database, events, client_id, 1, within=LONG))
        for _ in range(50)
    ]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await publish_one()
    assert await asyncio.gather(*waiting) == [True] * 50
    assert time.monotonic() - began < 1


@pytest.mark.alone
async def test_what_the_issuer_knows_already_is_not_waited_for(
    database: Database, events: ClientEvents, publish_one: PublishOne, client_id: UUID
) -> None:
    await publish_one()
    began = time.monotonic()
    assert await published(database, events, client_id, 1, within=LONG)
    assert time.monotonic() - began < 0.5


@pytest.mark.alone
async def test_the_wait_is_bounded(
    database: Database, events: ClientEvents, client_id: UUID
) -> None:
    began = time.monotonic()
    assert not await published(database, events, client_id, 1, within=SHORT)
    assert not await published(database, events, uuid4(), 1, within=SHORT)
    assert 0.4 <= time.monotonic() - began < 1.5


async def test_an_older_version_is_not_enough(
    database: Database,
    events: ClientEvents,
    publish_one: PublishOne,
    recording: RecordingIssuer,
    client_id: UUID,
) -> None:
    recording.may_go_on.clear()
    publishing = asyncio.create_task(publish_one())
    await recording.called.wait()
    async with database.sessions.begin() as db:
        version = await change(db, client_id, 1)
    waiting = asyncio.create_task(published(database, events, client_id, version, within=LONG))
    recording.may_go_on.set()
    await publishing
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await publish_one()
    assert await waiting


async def test_no_connection_is_held_by_those_who_wait(
    database: Database, events: ClientEvents, client_id: UUID
) -> None:
    waiting = [
        asyncio.create_task(published(database, events, client_id, 1, within=LONG))
        for _ in range(50)
    ]
    await asyncio.sleep(0.3)
    assert database.reads.none_in_use
    for wait in waiting:
        wait.cancel()
    await asyncio.wait(waiting)
    assert not events._waiters_for_words


async def test_what_happens_while_nobody_listens_is_found_afterwards(
    database: Database, events: ClientEvents, client_id: UUID
) -> None:
    """The issuer was told, and the announcement went to a connection that was just lost."""
    waiting = asyncio.create_task(published(database, events, client_id, 1, within=LONG))
    await asyncio.sleep(0.1)
    async with database.sessions.begin() as db:
        (await db.get_one(Publication, client_id)).published = 1
    await asyncio.sleep(0.1)
    assert not waiting.done()
    async with database.sessions.begin() as db:
        listening = text(
            "SELECT pid FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        pids = (await db.scalars(listening)).all()
        for pid in pids:
            await db.execute(select(func.pg_terminate_backend(pid)))
    assert pids
    assert await waiting
