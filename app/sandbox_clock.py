"""The sandbox's domain clock: how far the service's time is ahead, as one row that all follow.

It stands beside the service's own schema. Every process listens for a change, and holds a shared
lock named by the version of the row that it goes by: so whoever moves the clock knows by the
locks when all have followed, and a process that dies is waited for by nobody.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import asyncpg
from msgspec import Struct

log = logging.getLogger(__name__)

CHANNEL = "sandbox_clock"
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
CREATE TABLE IF NOT EXISTS sandbox.domain_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL DEFAULT 1,
    ahead interval NOT NULL DEFAULT '0',
    moving boolean NOT NULL DEFAULT false
);
INSERT INTO sandbox.domain_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
"""
READ = "SELECT version, ahead, moving FROM sandbox.domain_clock"
WRITE = """
WITH written AS (
    UPDATE sandbox.domain_clock SET version = version + 1, ahead = $1, moving = $2
    RETURNING version
)
SELECT version, pg_notify($3, '') FROM written
"""


class NotFollowed(Exception):
    """Some process has not taken over the time."""


class Reading(Struct, frozen=True):
    version: int
    ahead: timedelta
    moving: bool
    """Whoever moves the clock does the work of the domain himself meanwhile."""


async def make_clock(url: str) -> None:
    """Where it is not there yet. What a sandbox that was killed had begun is over."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(MAKE)
        await connection.execute("UPDATE sandbox.domain_clock SET moving = false")
    finally:
        await connection.close()


async def read_clock(connection: asyncpg.Connection) -> Reading:
    row = await connection.fetchrow(READ, timeout=ANSWER_WITHIN)
    return Reading(row["version"], row["ahead"], row["moving"])


async def write_clock(connection: asyncpg.Connection, ahead: timedelta, *, moving: bool) -> None:
    """Set the clock, and wait until every process goes by it."""
    version = await connection.fetchval(WRITE, ahead, moving, CHANNEL, timeout=ANSWER_WITHIN)
    before = (LOCKS, version - 1)
    try:
        await connection.execute(
            "SELECT pg_advisory_lock($1, $2)", *before, timeout=FOLLOWED_WITHIN
        )
    except TimeoutError:
        raise NotFollowed from None
    await connection.execute("SELECT pg_advisory_unlock($1, $2)", *before)


class DomainClock:
    """The service's time in this process, from `async with` to its end."""

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

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow_for_ever(), name="domain clock")
        async with asyncio.timeout(FIRST_READ_WITHIN):
            await self._known.wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

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
                log.warning("not following the clock: %s: %s", type(error).__name__, error)
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
                reading = await read_clock(connection)
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
