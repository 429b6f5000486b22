"""Two thousand wizards that wait at one worker: what they cost, and how soon they are told.

A change is made as on another host: by the service's own use case, in a process that shares
nothing with the worker but the database.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg
import httpx2
import psutil
from msgspec import Struct, field
from sqlalchemy import select

from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_drafts.use_cases import open_client_draft
from app.database import Database
from tests.bench.load import Prepared
from tests.bench.processes import SERVICE, Worker, only_worker
from tests.bench.requests import Customers
from tests.bench.waiters import Draft, Waiter, connected, drafts_of, until_all_ask, waiting
from tests.databases import database_server, new_database
from tests.sandboxes import RunningSandbox, sandbox
from tests.serving import KARI

WAITERS = 2_000
CHANGES = 200
TOLD_WITHIN = 0.1
"""Seconds, in the middle."""
PATIENCE = 30.0
POOLS = 12
"""Connections that the worker may open when it has more to do."""
LOOK_EVERY = 0.02
AT_ONCE = 4
BROKEN_SECONDS = 0.2
"""By then all know that their connection is broken."""
ALL_LOOK_SECONDS = 3.0

# A listener has said nothing since but that it is alive.
LOSE_ALL_LISTENERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND (query LIKE 'LISTEN %' OR query = 'SELECT 1')
"""
CONNECTIONS = """
SELECT count(*), count(*) FILTER (WHERE state <> 'idle') AS busy FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Others(Struct):
    """Those who do not wait: how long their answers take meanwhile, and the database's load."""

    answered_after: list[float] = field(default_factory=list)
    most_busy: int = 0
    most_connections: int = 0


class Found(Struct, kw_only=True):
    """Times are in seconds."""

    set_up: float
    told_after: list[float]
    """From before a change was begun until its waiter had the answer."""
    lost: int
    kib_each: float
    connections_before: int
    others: Others
    unheard_told_after: float | None
    others_when_unheard: Others
    wait_again_after: float
    last_told_after: float
    never_told: int

    @property
    def more_connections(self) -> int:
        """Than there were before somebody waited."""
        most = max(self.others.most_connections, self.others_when_unheard.most_connections)
        return most - self.connections_before

    @property
    def is_good(self) -> bool:
        in_time = median(self.told_after) <= TOLD_WITHIN
        nobody_lost = not self.lost and not self.never_told and self.unheard_told_after is not None
        return in_time and nobody_lost and self.more_connections <= POOLS


class Bench(Struct, frozen=True):
    running: RunningSandbox
    database: Database

    def worker(self) -> Worker:
        servers = self.running.children_serving(SERVICE)
        return Worker(self.running.ready.base_url, only_worker(servers))

    async def change(self, draft: Draft) -> None:
        """Somebody opens the link: nothing follows from that but that it can be seen."""
        async with self.database.sessions() as db:
            await open_client_draft(
                db,
                KARI,
                UUID(draft.client_id),
                redirect_port=None,
                redirect_path=None,
                now=datetime.now(UTC),
            )

    async def connections(self) -> asyncpg.Record:
        async with self.database.reads.acquire() as connection:
            row = await connection.fetchrow(CONNECTIONS)
        assert row is not None
        return row

    @asynccontextmanager
    async def others(self, drafts: Sequence[Draft]) -> AsyncIterator[Others]:
        found = Others()
        asking = asyncio.create_task(self._ask_meanwhile(drafts, found))
        try:
            yield found
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _ask_meanwhile(self, drafts: Sequence[Draft], found: Others) -> None:
        """One draft after the other: nobody may read his own all the time."""
        requests = cycle([draft.request() for draft in drafts])
        async with connected(next(requests)) as connection:
            for request in requests:
                began = time.monotonic()
                await connection.ask(request)
                found.answered_after.append(time.monotonic() - began)
                connections = await self.connections()
                found.most_busy = max(found.most_busy, connections["busy"])
                found.most_connections = max(found.most_connections, connections["count"])
                await asyncio.sleep(LOOK_EVERY)


@contextmanager
def benched(log: Path) -> Iterator[Bench]:
    """A sandbox whose database this process reaches, too."""
    with database_server() as server_url, new_database(server_url) as url, log.open("wb") as file:
        options = ("--exit-with-parent", "--no-journal", "--database-url", url)
        with sandbox(*options, stderr=file) as running:
            yield Bench(running, Database(url))


def measured(log: Path, waiters: int = WAITERS) -> Found:
    with benched(log) as bench, httpx2.Client(trust_env=False) as http:
        requests = Customers(bench.running.ready, http).drafts(waiters, rsa=False)
        return asyncio.run(_measured(bench, requests))


async def _measured(bench: Bench, requests: Sequence[Prepared]) -> Found:
    began = time.monotonic()
    await bench.database.open()
    drafts = await drafts_of(requests, at_once=AT_ONCE)
    connections = (await bench.connections())["count"]
    mebibytes = bench.worker().mebibytes()
    async with waiting(drafts) as waiters:
        kib_each = (bench.worker().mebibytes() - mebibytes) * 1024 / len(waiters)
        set_up = time.monotonic() - began
        *opened, unheard = random.sample(waiters, CHANGES + 1)
        async with bench.others(drafts) as others:
            told = [await told_after(bench, waiter) for waiter in opened]
        async with bench.others(drafts) as others_when_unheard:
            unheard_told_after = await told_unheard(bench, unheard)
        wait_again_after = await all_wait_again(bench, waiters)
        last_told_after, never_told = await all_told(bench, waiters)
    await bench.database.close()
    return Found(
        set_up=set_up,
        told_after=[seconds for seconds in told if seconds is not None],
        lost=told.count(None),
        kib_each=kib_each,
        connections_before=connections,
        others=others,
        unheard_told_after=unheard_told_after,
        others_when_unheard=others_when_unheard,
        wait_again_after=wait_again_after,
        last_told_after=last_told_after,
        never_told=never_told,
    )


async def told_after(bench: Bench, waiter: Waiter) -> float | None:
    """None: not at all."""
    began = time.monotonic()
    await bench.change(waiter.draft)
    told = await waiter.told_within(PATIENCE)
    return told.at - began if told else None


async def told_unheard(bench: Bench, waiter: Waiter) -> float | None:
    """The worker's listener is lost, and with it what is said until there is another one: so
    everybody who waits has to look again."""
    async with bench.database.reads.acquire() as connection:
        assert await connection.fetchval(LOSE_ALL_LISTENERS)
    after = await told_after(bench, waiter)
    await asyncio.sleep(ALL_LOOK_SECONDS)
    return after


async def all_wait_again(bench: Bench, waiters: Sequence[Waiter]) -> float:
    """How long it takes once the worker has been killed: all their connections break at once."""
    began = time.monotonic()
    process = bench.worker().process
    process.kill()
    await asyncio.to_thread(psutil.wait_procs, [process])
    await asyncio.sleep(BROKEN_SECONDS)
    await until_all_ask(waiters)
    request = waiters[0].draft.request()
    async with connected(request) as connection:
        await connection.ask(request)  # it comes after theirs
    return time.monotonic() - began


async def all_told(bench: Bench, waiters: Sequence[Waiter]) -> tuple[float, int]:
    """All drafts expire in one transaction: how long it takes until everybody has been told, and
    how many never are."""
    async with bench.database.sessions.begin() as db:
        for draft in await db.scalars(select(ClientDraft)):
            draft.status = DraftStatus.EXPIRED
            await client_changed(db, draft.client_id)
    began = time.monotonic()
    told = await asyncio.gather(*(waiter.told_within(PATIENCE) for waiter in waiters))
    moments = [each.at for each in told if each]
    return max(moments, default=began) - began, told.count(None)


def report(found: Found) -> bool:
    """Print what was found; whether all of it is as it should be."""
    mark = "" if found.is_good else "  NOT AS IT SHOULD BE"
    others, then = found.others.answered_after, found.others_when_unheard.answered_after
    print(f"{WAITERS} wait at one worker, set up in {found.set_up:.0f} s.{mark}")
    print(f"  a change in another process is told after {_spread(found.told_after)},")
    print(f"    of which the first may be {TOLD_WITHIN * 1e3:.0f}; {found.lost} were told nothing")
    print(f"  each costs {found.kib_each:.0f} KiB; {found.more_connections} more connections")
    print(f"  who does not wait is answered after {_spread(others)};")
    print(f"    after {_spread(then)} while all look again, since the listener was lost")
    print(f"  what it did not hear was told after {_milliseconds(found.unheard_told_after)} ms")
    print(f"  once the worker was killed, all wait again after {found.wait_again_after:.1f} s")
    print(f"  when everything changes, the last is told after {found.last_told_after:.1f} s;")
    print(f"    {found.never_told} were told nothing")
    return found.is_good


def _spread(seconds: list[float]) -> str:
    """In the middle, at the end of 95 of 100, and of all."""
    ordered = sorted(seconds)
    chosen = median(ordered), ordered[len(ordered) * 95 // 100], ordered[-1]
    return ", ".join(_milliseconds(one) for one in chosen) + " ms"


def _milliseconds(seconds: float | None) -> str:
    return "∞" if seconds is None else f"{seconds * 1e3:.0f}"
