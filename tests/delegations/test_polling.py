"""The plan of when to ask again, row by row."""

from datetime import timedelta

import pytest

from app.delegations.answers import Source, Standing
from app.delegations.polling import Attention, next_check
from app.delegations.rules import State
from tests.examples import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOBODY = Attention(None, None)


def standing(state: State, age: timedelta = timedelta(0), **more: object) -> Standing:
    return Standing(state=state, since=NOW - age, **more)  # type: ignore[arg-type]


def watched(since: timedelta, failures: int = 0) -> Attention:
    return Attention(NOW - since, NOW + 20 * SECOND, failures)


def wait(record: Standing, attention: Attention, chance: float = 0.0) -> timedelta:
    due = next_check(record, attention, NOW, chance)
    assert due is not None
    return due - NOW


def test_the_plan_goes_by_the_scale_of_time_and_no_faster_than_once_a_second() -> None:
    def scaled(record: Standing, attention: Attention, scale: float) -> timedelta:
        due = next_check(record, attention, NOW, 0.0, scale)
        assert due is not None
        return due - NOW

    assert scaled(standing(State.MISSING), NOBODY, 60.0) == MINUTE
    old = standing(State.MISSING, 3 * DAY / 60)
    assert scaled(old, NOBODY, 60.0) == 6 * MINUTE
    assert scaled(standing(State.ACTIVE), NOBODY, 720.0) == MINUTE
    assert scaled(standing(State.ACTIVE), NOBODY, 1e6) == SECOND
    doubted = standing(State.SUSPECT, first_no_at=NOW - 4 * SECOND)
    assert scaled(doubted, NOBODY, 60.0) == 6 * SECOND
    # Altinn is spared after failures as ever.
    assert scaled(standing(State.MISSING), Attention(None, None, 1), 60.0) == 30 * SECOND


@pytest.mark.parametrize("since", [timedelta(0), MINUTE, 10 * MINUTE, 3 * DAY])
def test_while_somebody_asks_a_right_is_seen_within_six_seconds(since: timedelta) -> None:
    assert wait(standing(State.MISSING), watched(since)) == 5 * SECOND


def test_who_has_waited_long_is_no_longer_first() -> None:
    """Else a program that asks for ever would take what is kept for those who sit and wait."""
    assert watched(timedelta(0)).is_urgent(NOW)
    assert watched(10 * MINUTE - SECOND).is_urgent(NOW)
    assert not watched(10 * MINUTE).is_urgent(NOW)
    assert not Attention(NOW - MINUTE, NOW - SECOND).is_urgent(NOW)
    assert not NOBODY.is_urgent(NOW)


def test_somebody_who_has_gone_hurries_nothing() -> None:
    gone = Attention(NOW - MINUTE, NOW - SECOND)
    assert wait(standing(State.MISSING), gone) == HOUR


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), HOUR),
        (3 * DAY - SECOND, HOUR),
        (3 * DAY, 6 * HOUR),
        (33 * DAY - SECOND, 6 * HOUR),
        (33 * DAY, DAY),
        (999 * DAY, DAY),
    ],
)
@pytest.mark.parametrize("state", [State.MISSING, State.REVOKED, State.REQUEST_REJECTED])
def test_while_nobody_waits(state: State, age: timedelta, expected: timedelta) -> None:
    assert wait(standing(state, age), NOBODY) == expected
    assert expected < wait(standing(state, age), NOBODY, 1.0) <= expected * 1.1


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), MINUTE),
        (MINUTE, 5 * MINUTE),
        (6 * MINUTE, 15 * MINUTE),
        (21 * MINUTE, HOUR),
        (29 * DAY, HOUR),
    ],
)
def test_a_request_is_followed_closely_at_first(age: timedelta, expected: timedelta) -> None:
    asked = standing(State.REQUEST_PENDING, requested_at=NOW - age)
    assert wait(asked, NOBODY) == expected


def test_what_propagates_is_asked_about_every_twenty_seconds() -> None:
    assert wait(standing(State.APPROVED_PROPAGATING), NOBODY) == 20 * SECOND
    assert wait(standing(State.APPROVED_PROPAGATING), watched(2 * MINUTE)) == 5 * SECOND


@pytest.mark.parametrize("attention", [NOBODY, watched(SECOND)])
def test_what_is_active_is_asked_about_once_or_twice_a_day(attention: Attention) -> None:
    assert wait(standing(State.ACTIVE), attention) == 12 * HOUR
    assert wait(standing(State.ACTIVE), attention, 1.0) == 24 * HOUR


def test_in_doubt_the_second_question_comes_after_ten_minutes() -> None:
    doubted = standing(State.SUSPECT, first_no_at=NOW, first_no_by=Source.PDP)
    assert wait(doubted, NOBODY) == 10 * MINUTE
    old = standing(State.SUSPECT, first_no_at=NOW - HOUR, first_no_by=Source.PDP)
    assert wait(old, NOBODY) == MINUTE


@pytest.mark.parametrize("state", [state for state in State if state != State.NOT_REQUIRED])
def test_failures_wait_longer_and_longer(state: State) -> None:
    minutes = [0.5, 1, 2, 5, 10, 10]
    waits = [wait(standing(state), Attention(None, None, n)) for n in range(1, 7)]
    assert waits == [minute * MINUTE for minute in minutes]
    assert wait(standing(state), watched(SECOND, 5)) == 30 * SECOND


def test_what_is_not_needed_is_not_asked_about() -> None:
    assert next_check(standing(State.NOT_REQUIRED), NOBODY, NOW, 0.5) is None
