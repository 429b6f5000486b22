"""What every process of the service goes by in a sandbox: the time, and how requests fail.

It is one row beside the service's own schema. Every process listens for a change of it, and holds
a shared lock named by the version that it goes by: so whoever changes it knows by the locks when
all have followed, and a process that dies is waited for by nobody.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import asyncpg
from msgspec import Struct

from app.jobs import ended

log = logging.getLogger(__name__)

CHANNEL = "sandbox_state"
LOCKS = 20_251
"""The first half of the locks' names; the version is the other."""
HEARTBEAT = 5.0
ANSWER_WITHIN = 5.0
FIRST_READ_WITHIN = 10.0
AGAIN_AFTER = 0.2
# A piece of work that is under way is finished first, and may itself wait for a neighbour.
FOLLOWED_WITHIN = 45.0

MAKE = """
CREATE SCHEMA IF NOT EXISTS sandbox;
CREATE TABLE IF NOT EXISTS sandbox.state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL DEFAULT 1,
    ahead interval NOT NULL DEFAULT '0',
    moving boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS sandbox.faults (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fault text NOT NULL,
    times integer CHECK (times >= 0)
);
CREATE TABLE IF NOT EXISTS sandbox.images (
    client_id uuid PRIMARY KEY,
    taken_at timestamptz NOT NULL,
    thumbprints text[] NOT NULL
);
INSERT INTO sandbox.state DEFAULT VALUES ON CONFLICT DO NOTHING;
DELETE FROM sandbox.faults;
UPDATE sandbox.state SET version = version + 1, moving = false;
"""
READ = """
SELECT version, ahead, moving, numbers, faults
FROM sandbox.state, (
    SELECT coalesce(array_agg(number ORDER BY number), '{}') AS numbers,
        coalesce(array_agg(fault ORDER BY number), '{}') AS faults
    FROM sandbox.faults WHERE times IS NULL OR times > 0
) AS waiting
"""
SET_TIME = "UPDATE sandbox.state SET version = version + 1, ahead = $1, moving = $2"
CHANGED = "UPDATE sandbox.state SET version = version + 1"
USE_FAULT = """
UPDATE sandbox.faults SET times = times - 1
WHERE number = $1 AND (times IS NULL OR times > 0) RETURNING number
"""


KEEP_IMAGE = """
INSERT INTO sandbox.images (client_id, taken_at, thumbprints) VALUES ($1, $2, $3)
ON CONFLICT (client_id) DO UPDATE
SET taken_at = excluded.taken_at, thumbprints = excluded.thumbprints
"""


class NotFollowed(Exception):
    """Some process has not followed."""


class Reading(Struct, frozen=True):
    version: int
    ahead: timedelta
    moving: bool
    """Whoever moves the clock does the work of the domain himself meanwhile."""
    faults: Sequence[tuple[int, str]] = ()
    """Each by its number: what it is stands in the words of the controls."""


class Image(Struct, frozen=True):
    """What an installation would have again that is restored to what it was."""

    taken_at: datetime
    thumbprints: Sequence[str]


async def make_state(url: str) -> None:
    """Where it is not there yet. The time stays; what a sandbox that was killed had begun ends."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(MAKE)
            await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    finally:
        await connection.close()


async def read_state(connection: asyncpg.Connection) -> Reading:
    row = await connection.fetchrow(READ, timeout=ANSWER_WITHIN)
    faults = tuple(zip(row["numbers"], row["faults"], strict=True))
    return Reading(row["version"], row["ahead"], row["moving"], faults)


async def write_time(connection: asyncpg.Connection, ahead: timedelta, *, moving: bool) -> None:
    """Set the clock, and wait until every process goes by it."""
    await _write(connection, SET_TIME, ahead, moving)


async def write_faults(
    connection: asyncpg.Connection, faults: Sequence[tuple[str, int | None]]
) -> None:
    """In place of all that were there, and wait until every process knows them."""
    async with connection.transaction():
        await connection.execute("DELETE FROM sandbox.faults")
        await connection.executemany(
            "INSERT INTO sandbox.faults (fault, times) VALUES ($1, $2)", faults
        )
    await _write(connection, CHANGED)


async def waiting_faults(connection: asyncpg.Connection) -> list[tuple[str, int | None]]:
    rows = await connection.fetch(
        "SELECT fault, times FROM sandbox.faults WHERE times IS NULL OR times > 0 ORDER BY number"
    )
    return [(row["fault"], row["times"]) for row in rows]


async def keep_image(connection: asyncpg.Connection, client_id: UUID, image: Image) -> None:
    """In place of an older one."""
    await connection.execute(KEEP_IMAGE, client_id, image.taken_at, image.thumbprints)


async def kept_image(connection: asyncpg.Connection, client_id: UUID) -> Image | None:
    row = await connection.fetchrow(
        "SELECT taken_at, thumbprints FROM sandbox.images WHERE client_id = $1", client_id
    )
    return None if row is None else Image(row["taken_at"], row["thumbprints"])


async def forget_images(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM sandbox.images")


async def _write(connection: asyncpg.Connection, statement: str, *arguments: object) -> None:
    async with connection.transaction():
        version = await connection.fetchval(
            f"{statement} RETURNING version", *arguments, timeout=ANSWER_WITHIN
        )
        await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    before = (LOCKS, version - 1)
    try:
        await connection.execute(
            "SELECT pg_advisory_lock($1, $2)", *before, timeout=FOLLOWED_WITHIN
        )
    except TimeoutError:
        raise NotFollowed from None
    await connection.execute("SELECT pg_advisory_unlock($1, $2)", *before)


class SandboxState:
    """As this process knows it, from `async with` to its end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._reading = Reading(0, timedelta(), False)
        self._known = asyncio.Event()
        self._under_way = 0
        self._still = asyncio.Event()
        self._still.set()
        self._task: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + self._reading.ahead

    @property
    def ahead(self) -> timedelta:
        return self._reading.ahead

    @property
    def faults(self) -> Sequence[tuple[int, str]]:
        return self._reading.faults

    async def use_fault(self, number: int) -> bool:
        """Once of the times that it has. Not so when others have used it up."""
        connection = await asyncpg.connect(self._url, timeout=ANSWER_WITHIN)
        try:
            return await connection.fetchval(USE_FAULT, number) is not None
        finally:
            connection.terminate()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow_for_ever(), name="sandbox state")
        async with asyncio.timeout(FIRST_READ_WITHIN):
            await self._known.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await ended(self._task)

    def unless_moving(self, run: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        """`run`, which does nothing while the clock is moved, and is waited for before it is."""

        async def run_unless_moving() -> bool:
            if self._reading.moving:
                return False
            self._under_way += 1
            self._still.clear()
            try:
                return await run()
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._still.set()

        return run_unless_moving

    async def _follow_for_ever(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:
                log.warning("not following the sandbox: %s: %s", type(error).__name__, error)
            await asyncio.sleep(AGAIN_AFTER)

    async def _follow(self) -> None:
        """Until the connection is lost, and all it holds with it."""
        connection = await asyncpg.connect(self._url, timeout=ANSWER_WITHIN)
        news = asyncio.Event()
        connection.add_termination_listener(lambda _: news.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: news.set())
            held: int | None = None
            while True:
                news.clear()
                reading = await read_state(connection)
                if reading.version != held:
                    await self._go_by(connection, reading, held)
                    # It may have been moved on before the lock was ours: look again.
                    held = reading.version
                    continue
                self._known.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), HEARTBEAT)
        finally:
            connection.terminate()

    async def _go_by(
        self, connection: asyncpg.Connection, reading: Reading, held: int | None
    ) -> None:
        self._reading = reading
        if reading.moving:
            await self._still.wait()
        await connection.execute(
            "SELECT pg_advisory_lock_shared($1, $2)", LOCKS, reading.version, timeout=ANSWER_WITHIN
        )
        if held is not None:
            await connection.execute("SELECT pg_advisory_unlock_shared($1, $2)", LOCKS, held)
