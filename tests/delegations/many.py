"""A hundred thousand delegations that are due, and workers in processes of their own."""

import asyncio
import time
from collections import Counter
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from msgspec import Struct
from sqlalchemy import text

from app.database import Database
from app.delegations.asking import ask_what_is_due
from tests.delegations.examples import WITH_RIGHT, InstantAltinn, followed_client
from tests.examples import NOW

HANGS_AFTER = 180.0

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


class Worked(Struct, frozen=True):
    """What one worker has done."""

    asked: Counter[str]
    seconds: float
    cpu_seconds: float


async def make_due(database: Database, records: int) -> None:
    await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(COPIES, {"copies": records - 1, "due_at": NOW})
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE delegations, delegation_polls"))


async def ask_about_all(
    database_url: str, *, workers: int, at_once: int, lanes: int
) -> list[Worked]:
    """Until nothing is due. Altinn takes no time: what is seen is what is done beside the calls."""
    spawning = get_context("spawn")
    pipes = [spawning.Pipe() for _ in range(workers)]
    processes = [
        spawning.Process(target=work, args=(database_url, theirs, at_once, lanes), daemon=True)
        for _, theirs in pipes
    ]
    for process in processes:
        process.start()
    ours = [mine for mine, _ in pipes]
    assert [await said_by(pipe) for pipe in ours] == ["ready"] * workers
    for pipe in ours:
        pipe.send("go")
    worked = [await said_by(pipe) for pipe in ours]
    for process in processes:
        await asyncio.to_thread(process.join)
    return worked


def work(url: str, said: Connection, at_once: int, lanes: int) -> None:
    """A worker's process."""
    asyncio.run(_work(url, said, at_once, lanes))


async def _work(url: str, said: Connection, at_once: int, lanes: int) -> None:
    altinn, rights = InstantAltinn(), WITH_RIGHT.right_named
    database = Database(url)
    await database.open()
    said.send("ready")
    await asyncio.to_thread(said.recv)

    async def lane() -> None:
        while await ask_what_is_due(database, altinn, rights, limit=at_once, now=NOW):
            pass

    began, worked = time.monotonic(), time.process_time()
    await asyncio.gather(*(lane() for _ in range(lanes)))
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - worked
    said.send(Worked(altinn.asked, seconds, cpu_seconds))
    await database.close()


async def said_by(worker: Connection) -> Any:
    assert await asyncio.to_thread(worker.poll, HANGS_AFTER), "a worker hangs"
    return worker.recv()
