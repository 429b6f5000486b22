"""Many who wait at once: all are told what is so, whatever dies meanwhile."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx2
import psutil
import pytest

from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.database import Database
from tests.bench.requests import Customers
from tests.bench.waiters import Draft, Waiter, drafts_of, until_all_ask, waiting
from tests.bench.waiting import LOSE_ALL_LISTENERS
from tests.journeys.conftest import logged_sandbox
from tests.journeys.test_kills import RESPAWN_SECONDS, kill_service, kill_worker, same_ports
from tests.sandboxes import Ready, RunningSandbox

pytestmark = pytest.mark.journey
MANY, SEVERAL = 200, 20
AT_ONCE = 10.0
"""Sooner than when the time of a wait is up; the machine may be busy."""
AFTER_A_START = 30.0


async def drafts(service: Ready, http: httpx2.Client, count: int) -> list[Draft]:
    requests = Customers(service, http).drafts(count, rsa=False)
    return await drafts_of(requests, at_once=4)


@asynccontextmanager
async def beside(database_url: str) -> AsyncIterator[Database]:
    """Another process of the service's, as it were: this one."""
    database = Database(database_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def become(database: Database, waiters: Iterable[Waiter], status: DraftStatus) -> None:
    async with database.sessions.begin() as db:
        for waiter in waiters:
            draft = await db.get_one(ClientDraft, UUID(waiter.draft.client_id))
            draft.status = status
            await client_changed(db, draft.client_id)


async def all_are_told(
    waiters: Sequence[Waiter], state: str, within: float = AFTER_A_START
) -> None:
    told = await asyncio.gather(*(waiter.told_within(within) for waiter in waiters))
    assert [each.state if each else None for each in told] == [state] * len(waiters)


async def test_each_of_200_who_wait_is_told_of_his_own(
    sandbox: Ready, http: httpx2.Client, journeys_database: str
) -> None:
    made = await drafts(sandbox, http, MANY)
    async with waiting(made) as waiters, beside(journeys_database) as database:
        await become(database, waiters[::2], DraftStatus.EXPIRED)
        await all_are_told(waiters[::2], "expired", AT_ONCE)
        assert all(waiter.told_nothing for waiter in waiters[1::2])
        # What is announced now, nobody hears.
        async with database.reads.acquire() as connection:
            assert await connection.fetchval(LOSE_ALL_LISTENERS)
        await become(database, waiters[1::2], DraftStatus.EXPIRED)
        await all_are_told(waiters[1::2], "expired", AT_ONCE)
        assert all(waiter.told_nothing for waiter in waiters)


async def test_who_waits_is_told_the_truth_whatever_dies(
    database_url: str, tmp_path: Path, http: httpx2.Client
) -> None:
    log, one = tmp_path / "log.jsonl", ("--workers", "1")
    async with AsyncExitStack() as stack:
        with logged_sandbox(database_url, log, *one) as running:
            ports = same_ports(running.ready)
            made = await drafts(running.ready, http, SEVERAL)
            database = await stack.enter_async_context(beside(database_url))
            waiters = await stack.enter_async_context(waiting(made))

            # A worker that is to end answers those who wait before it takes no more.
            await asyncio.sleep(RESPAWN_SECONDS)
            end_service(running)
            async with asyncio.timeout(8):
                for waiter in waiters:
                    await waiter.told_of_no_news.wait()

            await asyncio.sleep(RESPAWN_SECONDS)
            await until_all_ask(waiters)
            kill_service(running)
            kill_worker(running)
            await become(database, waiters, DraftStatus.EXPIRED)
            await all_are_told(waiters, "expired")

            await until_all_ask(waiters)
            kill_everything(running)
        await become(database, waiters, DraftStatus.DECLINED)
        with logged_sandbox(database_url, log, *ports, *one):
            await all_are_told(waiters, "rejected")


def end_service(running: RunningSandbox) -> None:
    """The process that answers requests is asked to end, as a new release would."""
    for process in running.children_serving("app.sandbox_service.service:create_service"):
        if not [child for child in process.children() if child.name() == process.name()]:
            process.send_signal(signal.SIGTERM)


def kill_everything(running: RunningSandbox) -> None:
    processes = [psutil.Process(running.ready.pid), *running.children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=20)
