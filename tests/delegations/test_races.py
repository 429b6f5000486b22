"""Many records and several workers: each record is asked about exactly once."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.database import Database
from app.delegations.answers import Found
from app.delegations.asking import ask_what_is_due
from app.delegations.models import DelegationPoll
from app.delegations.queries import note_watch
from app.delegations.rules import State
from tests.delegations.examples import WITH_RIGHT, InstantAltinn, followed_client, record_of
from tests.examples import NOW

RECORDS = 100_000
A_SECOND = 10_000
WORKERS = 3

COPIES = text(
    """
    WITH copied AS (
        INSERT INTO delegations (id, client_id, "right", giver, receiver, state, since,
                                 not_seen_after_approval)
        SELECT gen_random_uuid(), client_id, "right", n::text, receiver, 'active', since, false
        FROM delegations, generate_series(1, :copies) n
        RETURNING id
    )
    INSERT INTO delegation_polls (delegation_id, due_at, failures)
    SELECT id, :due_at, 0 FROM copied
    """
)


def work(url: str, said: Connection) -> None:
    """A worker's process: until nothing is due, then whom it asked about and how long it took."""

    async def ask() -> None:
        database = Database(url)
        await database.open()
        altinn = InstantAltinn()
        said.send("ready")
        await asyncio.to_thread(said.recv)
        began, worked = time.monotonic(), time.process_time()
        rights = WITH_RIGHT.right_named
        while await ask_what_is_due(database, altinn, rights, limit=1000, now=NOW):
            pass
        said.send((altinn.asked, time.monotonic() - began, time.process_time() - worked))
        await database.close()

    asyncio.run(ask())


@pytest.mark.race
async def test_of_100_000_due_records_each_is_asked_about_once(
    database: Database, database_url: str
) -> None:
    await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(COPIES, {"copies": RECORDS - 1, "due_at": NOW})
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE delegations, delegation_polls"))
    spawning = get_context("spawn")
    pipes = [spawning.Pipe() for _ in range(WORKERS)]
    processes = [
        spawning.Process(target=work, args=(database_url, theirs), daemon=True)
        for _, theirs in pipes
    ]
    for process in processes:
        process.start()
    ours = [mine for mine, _ in pipes]
    assert [await asyncio.to_thread(pipe.recv) for pipe in ours] == ["ready"] * WORKERS

    for pipe in ours:
        pipe.send("go")
    done = [await asyncio.to_thread(pipe.recv) for pipe in ours]
    for process in processes:
        await asyncio.to_thread(process.join)

    asked: Counter[str] = sum((each for each, _, _ in done), start=Counter())
    assert len(asked) == RECORDS
    assert set(asked.values()) == {1}
    assert all(each for each, _, _ in done), "a worker had nothing to do"
    # Of the processors' time, not of the clock's: others may need the machine just now.
    busy = sum(seconds for _, _, seconds in done)
    print(f"{RECORDS / max(seconds for _, seconds, _ in done):.0f} a second, {busy:.1f} s of work")
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
