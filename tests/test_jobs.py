"""The loop that does jobs again and again."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from app.jobs import Job, do_for_ever, do_what_is_due

NEVER, OFTEN = timedelta(hours=1), timedelta(milliseconds=10)
SOON, WITHIN = timedelta(milliseconds=50), timedelta(seconds=2)
SHORTEST = 0.9 * OFTEN.total_seconds()


class Pieces:
    """So many pieces of work; some of them fail."""

    def __init__(self, left: int, failing: int = 0) -> None:
        self.left = left
        self.failing = failing
        self.done = 0
        self.times: list[float] = []
        """When it was looked whether there is one."""

    @property
    def runs(self) -> int:
        return len(self.times)

    async def __call__(self) -> bool:
        self.times.append(time.monotonic())
        if self.failing:
            self.failing -= 1
            raise RuntimeError("this piece cannot be done")
        if self.left == 0:
            return False
        self.left -= 1
        self.done += 1
        return True


@asynccontextmanager
async def doing(*jobs: Job, within: timedelta = WITHIN) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    working = asyncio.create_task(do_for_ever(jobs, stopping, within=within))
    yield
    stopping.set()
    await asyncio.wait_for(working, 5)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError


async def test_a_job_goes_on_while_there_is_more() -> None:
    pieces = Pieces(100)
    async with doing(Job(name="pieces", every=NEVER, run=pieces)):
        await until(lambda: pieces.runs == 101)
    assert (pieces.done, pieces.runs) == (100, 101)


async def test_a_job_is_done_again_after_a_while() -> None:
    pieces = Pieces(0)
    async with doing(Job(name="pieces", every=OFTEN, run=pieces)):
        await until(lambda: pieces.runs == 10)
    assert all(after - before >= SHORTEST for before, after in pairwise(pieces.times))


async def test_of_the_lanes_that_have_nothing_to_do_one_looks_at_a_time() -> None:
    pieces = Pieces(0)
    async with doing(Job(name="pieces", every=OFTEN, run=pieces, lanes=4)):
        await until(lambda: pieces.runs == 12)
    each_once = pieces.times[3:]
    assert all(after - before >= SHORTEST for before, after in pairwise(each_once))


async def test_a_piece_that_hangs_keeps_one_lane_and_the_others_look_as_often() -> None:
    looks: list[None] = []

    async def first_hangs() -> bool:
        looks.append(None)
        if len(looks) == 1:
            await asyncio.sleep(3600)
        return False

    job = Job(name="hanging", every=OFTEN, run=first_hangs, lanes=2)
    async with doing(job, within=SOON):
        await until(lambda: len(looks) == 10)


async def test_a_failing_job_is_named_goes_on_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = Pieces(5, failing=2), Pieces(5)
    jobs = [Job(name="the bad one", every=OFTEN, run=bad), Job(name="b", every=OFTEN, run=good)]
    with caplog.at_level(logging.ERROR):
        async with doing(*jobs):
            await until(lambda: (bad.done, good.done) == (5, 5))
    assert caplog.text.count("the bad one failed") == 2


async def test_a_job_that_goes_on_failing_is_done_less_and_less() -> None:
    hopeless = Pieces(0, failing=10_000)
    async with doing(Job(name="hopeless", every=OFTEN, run=hopeless)):
        await until(lambda: hopeless.runs == 6)
    for times, (before, after) in enumerate(pairwise(hopeless.times), 1):
        assert after - before >= SHORTEST * 2**times


async def test_a_lane_that_fails_keeps_the_others_from_nothing() -> None:
    looks: list[asyncio.Task[None] | None] = []

    async def first_lane_fails() -> bool:
        looks.append(asyncio.current_task())
        if looks[-1] is looks[0]:
            raise RuntimeError("nothing is done here")
        return False

    async with doing(Job(name="one fails", every=OFTEN, run=first_lane_fails, lanes=2)):
        await until(lambda: len(looks) == 50)


async def test_a_job_is_woken_before_its_time() -> None:
    events: list[asyncio.Event] = []

    @contextmanager
    def woken() -> Iterator[asyncio.Event]:
        events.append(asyncio.Event())
        yield events[-1]

    pieces = Pieces(0)
    async with doing(Job(name="woken", every=NEVER, run=pieces, woken=woken, lanes=2)):
        await until(lambda: pieces.runs == 2)
        pieces.left = 3
        for event in events:
            event.set()
        await until(lambda: pieces.done == 3)


async def test_what_is_under_way_at_the_end_is_finished() -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow() -> bool:
        begun.set()
        await asyncio.sleep(0.2)
        done.set()
        return True

    async with doing(Job(name="slow", every=NEVER, run=slow)):
        await begun.wait()
        assert not done.is_set()
    assert done.is_set()


async def test_what_takes_too_long_at_the_end_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def hanging() -> bool:
        begun.set()
        await asyncio.sleep(3600)
        return True

    async with doing(Job(name="hanging", every=NEVER, run=hanging), within=SOON):
        await begun.wait()
    assert "hanging was not finished in time" in caplog.text


async def test_what_is_due_is_done_until_nothing_is_left() -> None:
    first, second = Pieces(3), Pieces(2)
    await do_what_is_due(
        [Job(name="a", every=NEVER, run=first), Job(name="b", every=NEVER, run=second)]
    )
    assert (first.done, second.done) == (3, 2)


async def test_what_requests_bring_for_ever_does_not_hold_up_what_is_due() -> None:
    """They bring a piece in each round; what another job leaves for it is done all the same."""
    brought, due = Pieces(0), Pieces(2)

    async def bring() -> bool:
        brought.left += 1
        return False

    jobs = [
        Job(name="a", every=NEVER, run=brought, requests_bring_it=True),
        Job(name="b", every=NEVER, run=due),
        Job(name="c", every=NEVER, run=bring),
    ]
    async with asyncio.timeout(WITHIN.total_seconds()):
        assert await do_what_is_due(jobs) == {"a": 1, "b": 2}
