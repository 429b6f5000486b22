"""The loop that does jobs again and again."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app.jobs import Job, do_for_ever, do_what_is_due

NEVER, OFTEN, WITHIN = timedelta(hours=1), timedelta(milliseconds=10), timedelta(seconds=2)


class Pieces:
    """So many pieces of work; some of them fail."""

    def __init__(self, left: int, failing: int = 0) -> None:
        self.left = left
        self.failing = failing
        self.done = 0
        self.runs = 0

    async def __call__(self) -> bool:
        self.runs += 1
        if self.failing:
            self.failing -= 1
            raise RuntimeError("this piece cannot be done")
        if self.left == 0:
            return False
        self.left -= 1
        self.done += 1
        return True


async def run_for(seconds: float, *jobs: Job) -> None:
    stopping = asyncio.Event()
    working = asyncio.create_task(do_for_ever(jobs, stopping, within=WITHIN))
    await asyncio.sleep(seconds)
    stopping.set()
    await asyncio.wait_for(working, 5)


async def test_a_job_goes_on_while_there_is_more() -> None:
    pieces = Pieces(100)
    await run_for(0.1, Job(name="pieces", every=NEVER, run=pieces))
    assert pieces.done == 100
    assert pieces.runs == 101


async def test_a_job_is_done_again_after_a_while() -> None:
    pieces = Pieces(0)
    await run_for(0.3, Job(name="pieces", every=OFTEN, run=pieces))
    assert pieces.runs > 5


async def test_a_failing_job_is_named_goes_on_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = Pieces(5, failing=2), Pieces(5)
    with caplog.at_level(logging.ERROR):
        await run_for(
            0.3, Job(name="the bad one", every=OFTEN, run=bad), Job(name="b", every=OFTEN, run=good)
        )
    assert (bad.done, good.done) == (5, 5)
    assert caplog.text.count("the bad one failed") == 2


async def test_a_job_that_goes_on_failing_is_done_less_and_less() -> None:
    hopeless = Pieces(0, failing=10_000)
    await run_for(0.5, Job(name="hopeless", every=OFTEN, run=hopeless))
    assert 3 <= hopeless.runs <= 7


async def test_a_job_is_woken_before_its_time() -> None:
    events: list[asyncio.Event] = []

    @contextmanager
    def woken() -> Iterator[asyncio.Event]:
        events.append(asyncio.Event())
        yield events[-1]

    pieces = Pieces(0)
    stopping = asyncio.Event()
    job = Job(name="woken", every=NEVER, run=pieces, woken=woken, lanes=2)
    working = asyncio.create_task(do_for_ever([job], stopping, within=WITHIN))
    await asyncio.sleep(0.05)
    pieces.left = 3
    for event in events:
        event.set()
    await asyncio.sleep(0.05)
    assert pieces.done == 3
    stopping.set()
    await working


async def test_what_is_under_way_at_the_end_is_finished() -> None:
    done = asyncio.Event()

    async def slow() -> bool:
        await asyncio.sleep(0.2)
        done.set()
        return True

    await run_for(0.05, Job(name="slow", every=NEVER, run=slow))
    assert done.is_set()


async def test_what_takes_too_long_at_the_end_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def hanging() -> bool:
        await asyncio.sleep(3600)
        return True

    stopping = asyncio.Event()
    job = Job(name="hanging", every=NEVER, run=hanging)
    working = asyncio.create_task(do_for_ever([job], stopping, within=timedelta(seconds=0.05)))
    await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(working, 2)
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
