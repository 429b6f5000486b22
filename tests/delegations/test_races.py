"""Many records and several workers: each record is asked about exactly once."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.database import Database
from app.delegations.answers import Found
from app.delegations.asking import ask_what_is_due
from app.delegations.models import DelegationPoll
from app.delegations.queries import note_watch
from app.delegations.rules import State
from tests.delegations.examples import WITH_RIGHT, InstantAltinn, followed_client, record_of
from tests.delegations.many import ask_about_all, make_due
from tests.examples import NOW

RECORDS = 100_000
A_SECOND = 10_000
WORKERS = 3


@pytest.mark.race
async def test_of_100_000_due_records_each_is_asked_about_once(
    database: Database, database_url: str
) -> None:
    await make_due(database, RECORDS)
    done = await ask_about_all(database_url, workers=WORKERS, at_once=1000, lanes=1)
    asked: Counter[str] = sum((each.asked for each in done), start=Counter())
    assert len(asked) == RECORDS
    assert set(asked.values()) == {1}
    assert all(each.asked for each in done), "a worker had nothing to do"
    # Of the processors' time, since others may need the machine just now. `make bench` goes by the
    # clock's.
    busy = sum(each.cpu_seconds for each in done)
    print(f"{RECORDS / max(each.seconds for each in done):.0f} a second, {busy:.1f} s of work")
    assert RECORDS / busy >= A_SECOND


@pytest.mark.race
async def test_readers_wait_for_nobody(database: Database) -> None:
    """A reader's note passes over what a worker is writing just now, and comes the next time."""
    client_id = await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(select(DelegationPoll).with_for_update())
        async with asyncio.timeout(1), database.reads.acquire() as connection:
            await note_watch(connection, client_id, NOW + timedelta(hours=1))
    _, poll = await record_of(database, client_id)
    assert poll.watched_until == NOW + timedelta(seconds=30)
    async with database.reads.acquire() as connection:
        await note_watch(connection, client_id, NOW + timedelta(hours=1))
    _, poll = await record_of(database, client_id)
    assert poll.watched_until == NOW + timedelta(hours=1, seconds=30)


@pytest.mark.race
async def test_what_reads_and_what_asks_go_on_beside_each_other(database: Database) -> None:
    clients = [await followed_client(database) for _ in range(10)]
    altinn = InstantAltinn(Found.NOT_GIVEN)
    rights = WITH_RIGHT.right_named

    async def reading(client_id: UUID) -> None:
        for second in range(20):
            async with database.reads.acquire() as connection:
                await note_watch(connection, client_id, NOW + timedelta(seconds=second))

    async def asking() -> None:
        for second in range(20):
            now = NOW + timedelta(seconds=second)
            await ask_what_is_due(database, altinn, rights, limit=4, now=now)

    await asyncio.gather(*(reading(each) for each in clients), *(asking() for _ in range(3)))
    states = {(await record_of(database, each))[0].state for each in clients}
    assert states == {State.MISSING}
