"""Work that nobody waits for: what a job is, and the loop that does it again and again."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(seconds=30)

Woken: TypeAlias = Callable[[], AbstractContextManager[asyncio.Event]]
NextDue: TypeAlias = Callable[[datetime], Awaitable[datetime | None]]


class Job(Struct, frozen=True, kw_only=True):
    """Something that is done over and over. `run` does a piece; True means that there is more.

    Any number of processes do the same jobs: each piece is taken by a lock or a lease.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[bool]]
    woken: Woken | None = None
    """Where to hear that there is something to do before the time is up."""
    lanes: int = 1
    """How many pieces may be under way at once in one process."""
    next_due: NextDue | None = None
    """When something falls due after a moment, by the same clock as the job's: for a clock that
    is moved on in steps. Without it, nothing of the job's has a time of its own."""
    recurs: bool = False
    """What was done falls due again by itself."""
    requests_bring_it: bool = False
    """Whoever does all that is due does not wait for what requests bring meanwhile."""


async def do_for_ever(jobs: Sequence[Job], stopping: asyncio.Event, *, within: timedelta) -> None:
    """Until `stopping`; then what is under way is finished, as long as it takes no more than
    `within`. One job's failure is logged and stops neither that job nor another."""
    lanes = [lane for job in jobs for lane in _lanes(job, stopping)]
    try:
        await stopping.wait()
        _, unfinished = await asyncio.wait(lanes, timeout=within.total_seconds())
        for lane in unfinished:
            log.warning("%s was not finished in time", lane.get_name())
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def ended(task: asyncio.Task[None] | None) -> None:
    """Cancelled, and over, however it ends; None is over already."""
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


async def do_what_is_due(jobs: Sequence[Job]) -> Counter[str]:
    """Each job until it has nothing left, and all again while one had: after the clock is moved.

    Says how many pieces each job had. A failure here is the caller's.
    """
    pieces: Counter[str] = Counter()
    had_some = True
    while had_some:
        had_some = False
        for job in jobs:
            while await job.run():
                pieces[job.name] += 1
                had_some = had_some or not job.requests_bring_it
    return pieces


def _lanes(job: Job, stopping: asyncio.Event) -> Sequence[asyncio.Task[None]]:
    watch = asyncio.Lock()
    return [
        asyncio.create_task(_lane(job, watch, stopping), name=job.name) for _ in range(job.lanes)
    ]


async def _lane(job: Job, watch: asyncio.Lock, stopping: asyncio.Event) -> None:
    failures = 0
    with job.woken() if job.woken else nullcontext(asyncio.Event()) as news:
        while not stopping.is_set():
            news.clear()
            try:
                more = await job.run()
                failures = 0
            except Exception:
                failures += 1
                more = False
                log.exception("the job %s failed, for the %d. time in a row", job.name, failures)
            if not more:
                await _first_of(news.wait(), stopping.wait(), _while(job, failures, watch))


async def _while(job: Job, failures: int, watch: asyncio.Lock) -> None:
    """Of the lanes that have nothing to do, one looks again after a while; then it is another's
    turn. A lane that has failed keeps the others from nothing."""
    async with watch if failures == 0 else nullcontext():
        await asyncio.sleep(_seconds(job, failures))


def _seconds(job: Job, failures: int) -> float:
    """After failures longer and longer, and never in step with the other processes."""
    times: int = 2 ** min(failures, 16)
    pause = min(job.every * times, max(job.every, LONGEST_PAUSE))
    return pause.total_seconds() * random.uniform(0.9, 1.1)  # noqa: S311  # it guards no secret


async def _first_of(*waits: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
