"""What all processes go by: the time, moved on in the order of what is due, and the faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.database import Database
from app.jobs import Job
from app.sandbox_service.jump import Mover
from app.sandbox_service.state import NotFollowed, SandboxState, make_state, write_time
from tests.severed import way_to

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
async def clock_url(database_url: str) -> str:
    await make_state(database_url)
    return database_url


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def ahead(clock: SandboxState) -> timedelta:
    return clock.now() - datetime.now(UTC)


async def test_whoever_moves_the_clock_knows_that_all_have_followed(clock_url: str) -> None:
    async with (
        SandboxState(clock_url) as one,
        SandboxState(clock_url) as other,
        connected(clock_url) as mover,
    ):
        for days in (1, 2, 400):
            await write_time(mover, days * DAY, moving=False)
            for clock in (one, other):
                assert abs(ahead(clock) - days * DAY) < SECOND


async def test_a_process_that_comes_later_knows_the_time_at_once(clock_url: str) -> None:
    async with connected(clock_url) as mover:
        await write_time(mover, 3 * DAY, moving=False)
    await make_state(clock_url)  # as at the next start of a sandbox
    async with SandboxState(clock_url) as clock:
        assert abs(ahead(clock) - 3 * DAY) < SECOND


async def test_who_lost_the_connection_is_not_waited_for_and_catches_up(clock_url: str) -> None:
    async with (
        way_to(clock_url) as way,
        SandboxState(way.url) as clock,
        connected(clock_url) as mover,
    ):
        await way.cut()
        await write_time(mover, DAY, moving=False)
        assert abs(ahead(clock)) < SECOND
        await way.mend()
        for _ in range(100):
            if ahead(clock) > HOUR:
                break
            await asyncio.sleep(0.05)
        assert abs(ahead(clock) - DAY) < SECOND


async def test_work_under_way_is_finished_before_the_clock_moves_and_none_begins_meanwhile(
    clock_url: str,
) -> None:
    go_on, runs = asyncio.Event(), 0

    async def piece() -> bool:
        nonlocal runs
        runs += 1
        await go_on.wait()
        return True

    async with SandboxState(clock_url) as clock, connected(clock_url) as mover:
        run = clock.unless_moving(piece)
        under_way = asyncio.ensure_future(run())
        await asyncio.sleep(0.01)
        moving = asyncio.create_task(write_time(mover, DAY, moving=True))
        await asyncio.sleep(0.2)
        assert not moving.done()
        assert await run() is False
        go_on.set()
        await asyncio.wait_for(moving, 5)
        assert (await under_way, runs) == (True, 1)
        await write_time(mover, DAY, moving=False)
        assert (await run(), runs) == (True, 2)


async def test_a_process_that_hangs_is_waited_for_only_so_long(
    clock_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sandbox_service.state.FOLLOWED_WITHIN", 0.2)

    async def hanging() -> bool:
        await asyncio.sleep(3600)
        return True

    async with SandboxState(clock_url) as clock, connected(clock_url) as mover:
        under_way = asyncio.ensure_future(clock.unless_moving(hanging)())
        await asyncio.sleep(0.01)
        with pytest.raises(NotFollowed):
            await write_time(mover, DAY, moving=True)
        under_way.cancel()


class Diary:
    """Work that is due at moments, and what the clock showed when it was done."""

    def __init__(self, clock: SandboxState, *moments: timedelta, again: timedelta | None = None):
        self.clock = clock
        self.begun = clock.now()
        self.left = [self.begun + moment for moment in moments]
        self.again = again
        self.done: list[timedelta] = []

    async def run(self) -> bool:
        now = self.clock.now()
        due = [moment for moment in self.left if moment <= now]
        if not due:
            return False
        self.left.remove(due[0])
        self.done.append(now - self.begun)
        if self.again:
            self.left.append(now + self.again)
        return True

    async def next_due(self, after: datetime) -> datetime | None:
        return min((moment for moment in self.left if moment > after), default=None)

    def job(self, name: str) -> Job:
        return Job(
            name=name,
            every=HOUR,
            run=self.run,
            next_due=self.next_due,
            recurs=self.again is not None,
        )


@pytest.fixture
async def clock(clock_url: str) -> AsyncIterator[SandboxState]:
    async with SandboxState(clock_url) as clock:
        yield clock


@pytest.fixture
async def database(clock_url: str) -> AsyncIterator[Database]:
    database = Database(clock_url)
    yield database
    await database.engine.dispose()


async def test_what_falls_due_is_done_at_its_time_and_in_order(
    clock: SandboxState, database: Database
) -> None:
    told: list[timedelta] = []

    async def tell(ahead: timedelta) -> None:
        told.append(ahead)

    first, second = Diary(clock, DAY, 30 * DAY), Diary(clock, HOUR, 2 * DAY)
    moved = await Mover(database, clock, [first.job("first"), second.job("second")], tell).advance(
        365 * DAY
    )
    for diary, moments in ((first, (DAY, 30 * DAY)), (second, (HOUR, 2 * DAY))):
        late = [at - moment for at, moment in zip(diary.done, moments, strict=True)]
        assert all(timedelta() <= each < 5 * SECOND for each in late)
    assert moved.steps == 5
    assert {ran.job: ran.pieces for ran in moved.ran} == {"first": 2, "second": 2}
    assert told == sorted(told)
    assert told[-1] == timedelta(seconds=moved.ahead_seconds) == 365 * DAY


async def test_what_falls_due_again_and_again_takes_no_year_to_play(
    clock: SandboxState, database: Database
) -> None:
    async def tell(ahead: timedelta) -> None:
        pass

    often = Diary(clock, HOUR, again=HOUR)
    moved = await Mover(database, clock, [often.job("often")], tell).advance(365 * DAY)
    # The first hours one by one, the last months in great steps.
    assert often.done[1] - often.done[0] < 1.1 * HOUR
    assert 20 < moved.steps < 100


async def test_work_that_stays_due_holds_up_nothing(
    clock: SandboxState, database: Database
) -> None:
    async def tell(ahead: timedelta) -> None:
        pass

    async def nothing() -> bool:
        return False

    stuck = Diary(clock, HOUR)
    job = Job(name="stuck", every=HOUR, run=nothing, next_due=stuck.next_due)
    moved = await Mover(database, clock, [job], tell).advance(DAY)
    assert (moved.steps, moved.ran) == (2, [])


async def test_a_way_on_which_there_is_always_more_to_do_comes_to_its_end(
    clock: SandboxState, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installers that go on meanwhile ask for something new in each minute of it."""
    monkeypatch.setattr("app.sandbox_service.jump.LONGEST", 0.2)

    async def tell(ahead: timedelta) -> None:
        await asyncio.sleep(0.05)

    always = Diary(clock, *(HOUR * hour for hour in range(1, 1_000)))
    moved = await Mover(database, clock, [always.job("always")], tell).advance(365 * DAY)
    assert moved.steps < 20
    assert clock.ahead == 365 * DAY
    assert len(always.done) == 999


@pytest.mark.race
async def test_two_who_move_the_clock_at_once_move_it_by_both(
    clock: SandboxState, database: Database
) -> None:
    async def tell(ahead: timedelta) -> None:
        await asyncio.sleep(0)

    diary = Diary(clock, HOUR, 5 * HOUR)
    mover = Mover(database, clock, [diary.job("diary")], tell)
    await asyncio.gather(*(mover.advance(HOUR) for _ in range(8)))
    assert clock.ahead == 8 * HOUR
    assert len(diary.done) == 2
