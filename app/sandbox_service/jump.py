"""Moving the sandbox's time on: in steps, each to the next moment at which something falls due.

So things happen in the order of their times, as they would have. While the clock is moved the
worker's processes leave the domain's work alone, and it is done here: what has been done when the
last step is over is all that fell due.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.changes.queries import CHANNEL as CLIENT_CHANGED
from app.connections import connect
from app.database import Database
from app.jobs import Job, do_what_is_due
from app.sandbox.controls.wire import Event, Moved, Ran
from app.sandbox_service.state import ANSWER_WITHIN, SandboxState, write_time

TellNeighbours: TypeAlias = Callable[[timedelta], Awaitable[None]]

MOST_STEPS = 2_000
LONGEST = 300.0
"""Seconds. What is left of the way after either is one step: installers that go on meanwhile, and
do something new in each minute of it, would else never let it end."""
MOST_EVENTS = 1_000
# What falls due again by itself is not asked for more often than this part of the way that lies
# behind: the first hours are played closely, and the last months of a year in weeks.
COARSENESS = 5
LEAST_STEP = timedelta(seconds=1)


class Mover:
    """One at a time moves the clock."""

    def __init__(
        self,
        database: Database,
        clock: SandboxState,
        jobs: Sequence[Job],
        tell_neighbours: TellNeighbours,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._tell_neighbours = tell_neighbours
        self._moving = asyncio.Lock()

    async def advance(self, by: timedelta) -> Moved:
        before = await self._newest_event()
        async with self._held_clock() as connection:
            until = self._clock.ahead + by
            pieces = await do_what_is_due(self._jobs)
            steps, begun = 0, time.monotonic()
            while self._clock.ahead < until:
                hurried = steps >= MOST_STEPS or time.monotonic() - begun > LONGEST
                step = until if hurried else await self._next_step(until, until - by)
                await self._set(connection, step)
                pieces += await do_what_is_due(self._jobs)
                steps += 1
        return await self._moved(steps, pieces, before)

    @asynccontextmanager
    async def starting_anew(self) -> AsyncIterator[None]:
        """The real time again, and in between nobody does the domain's work."""
        async with self._held_clock() as connection:
            await self._set(connection, timedelta())
            yield

    @asynccontextmanager
    async def _held_clock(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._moving:
            connection = await connect(self._database.url, timeout=ANSWER_WITHIN)
            with ExitStack() as stack:
                stack.callback(connection.terminate)
                try:
                    await write_time(connection, self._clock.ahead, moving=True)
                    yield connection
                finally:
                    await write_time(connection, self._clock.ahead, moving=False)
                    # Whoever waits for a client looks again: its state may be one of the time's.
                    await connection.execute("SELECT pg_notify($1, '')", CLIENT_CHANGED)

    async def _set(self, connection: asyncpg.Connection, ahead: timedelta) -> None:
        await write_time(connection, ahead, moving=True)
        await self._tell_neighbours(ahead)

    async def _next_step(self, until: timedelta, begun: timedelta) -> timedelta:
        now, ahead = self._clock.now(), self._clock.ahead
        least = max(LEAST_STEP, (ahead - begun) / COARSENESS)
        steps = [until]
        for job in self._jobs:
            due = await job.next_due(now) if job.next_due else None
            if due is not None:
                steps.append(ahead + max(due - now, least if job.recurs else LEAST_STEP / 1000))
        return min(steps)

    async def _newest_event(self) -> int:
        async with self._database.sessions() as db:
            return await db.scalar(select(func.max(AuditEvent.id))) or 0

    async def _moved(self, steps: int, pieces: Counter[str], before: int) -> Moved:
        # What somebody did by a request meanwhile has an address.
        ours = (AuditEvent.id > before, AuditEvent.source.is_(None))
        async with self._database.sessions() as db:
            count = await db.scalar(select(func.count()).where(*ours)) or 0
            rows = await db.scalars(
                select(AuditEvent).where(*ours).order_by(AuditEvent.id).limit(MOST_EVENTS)
            )
            events = [Event(row.at, row.happened, row.subject, row.details) for row in rows]
        return Moved(
            now=self._clock.now(),
            ahead_seconds=self._clock.ahead.total_seconds(),
            steps=steps,
            ran=[Ran(job, count) for job, count in pieces.items()],
            events=events,
            more_events=count - len(events),
        )
