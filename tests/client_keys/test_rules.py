"""The life of a key: every state by every event, and where its end falls."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from app.client_keys.rules import (
    LIVE,
    TRANSITIONS,
    KeyEvent,
    KeyState,
    Unusable,
    due_end,
    end_of_life,
    renewal_window,
    unusable,
)
from app.state_machine import WrongState, next_state

ENDED = [state for state in KeyState if state not in LIVE]


def test_live_keys_are_those_that_may_sign_something_now() -> None:
    assert set(LIVE) == {KeyState.ACTIVATING, KeyState.ACTIVE, KeyState.RETIRING}


@pytest.mark.parametrize("event", KeyEvent)
@pytest.mark.parametrize("state", ENDED)
def test_a_key_that_has_ended_never_comes_back(state: KeyState, event: KeyEvent) -> None:
    with pytest.raises(WrongState, match=f"Cannot {event} while {state}"):
        next_state(TRANSITIONS, state, event)


@pytest.mark.parametrize("state", LIVE)
def test_every_live_key_can_expire_and_be_revoked(state: KeyState) -> None:
    assert next_state(TRANSITIONS, state, KeyEvent.EXPIRE) == KeyState.EXPIRED
    assert next_state(TRANSITIONS, state, KeyEvent.REVOKE) == KeyState.REVOKED


def test_a_key_that_goes_out_of_use_is_not_brought_back_by_the_issuer() -> None:
    with pytest.raises(WrongState):
        next_state(TRANSITIONS, KeyState.RETIRING, KeyEvent.PUBLISHED)


@pytest.mark.parametrize(
    ("now", "days", "end"),
    [
        ("2026-11-22T00:00:00", 365, "2027-11-22T00:00:00"),
        ("2026-11-22T23:59:59", 365, "2027-11-22T00:00:00"),
        ("2026-11-22T12:00:00", 90, "2027-02-20T00:00:00"),
        ("2027-12-01T12:00:00", 90, "2028-02-29T00:00:00"),
        ("2026-11-22T12:00:00", 1, "2026-11-23T00:00:00"),
    ],
)
def test_a_life_ends_at_midnight_utc(now: str, days: int, end: str) -> None:
    found = end_of_life(datetime.fromisoformat(now).replace(tzinfo=UTC), days)
    assert found.isoformat() == f"{end}+00:00"


def test_a_scaled_life_ends_to_the_moment() -> None:
    now = datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)
    assert end_of_life(now, 90, scale=90 * 86_400 / 15) == now + timedelta(seconds=15)


PAST, FUTURE = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "expires_at", "retires_at", "reason"),
    [
        (KeyState.ACTIVATING, FUTURE, None, Unusable.NOT_PUBLISHED_YET),
        (KeyState.ACTIVATING, TODAY, None, Unusable.EXPIRED),
        (KeyState.ACTIVE, FUTURE, None, None),
        (KeyState.ACTIVE, None, None, None),
        (KeyState.ACTIVE, TODAY, None, Unusable.EXPIRED),
        (KeyState.ACTIVE, FUTURE, PAST, None),
        (KeyState.RETIRING, FUTURE, FUTURE, None),
        (KeyState.RETIRING, FUTURE, TODAY, Unusable.RETIRED),
        (KeyState.RETIRING, PAST, TODAY, Unusable.EXPIRED),
        (KeyState.RETIRING, TODAY, PAST, Unusable.RETIRED),
        (KeyState.RETIRED, PAST, TODAY, Unusable.RETIRED),
        (KeyState.EXPIRED, PAST, None, Unusable.EXPIRED),
        (KeyState.REVOKED, PAST, None, Unusable.REVOKED),
    ],
)
def test_why_a_key_cannot_be_used(
    state: KeyState,
    expires_at: datetime | None,
    retires_at: datetime | None,
    reason: Unusable | None,
) -> None:
    assert unusable(state, expires_at, retires_at, TODAY) == reason


@pytest.mark.parametrize("state", ENDED)
def test_a_key_that_has_ended_does_not_end_again(state: KeyState) -> None:
    assert due_end(state, PAST, PAST, TODAY) is None


MADE = datetime(2026, 11, 22, 14, 3, 7, 123456, tzinfo=UTC)


def thumbprint_of(number: int) -> str:
    return urlsafe_b64encode(sha256(str(number).encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("days", [1, 90, 365])
def test_a_key_is_renewed_in_the_last_third_of_its_life_and_never_in_haste(days: int) -> None:
    end = end_of_life(MADE, days)
    third = (end - MADE) / 3
    for number in range(1000):
        window = renewal_window(thumbprint_of(number), MADE, end)
        assert window is not None
        assert window.ends_at == end
        assert end - third <= window.begins_at + timedelta(seconds=1)
        assert window.begins_at <= end - third / 2


def test_keys_of_one_night_are_renewed_over_months() -> None:
    end = end_of_life(MADE, 365)
    windows = [renewal_window(thumbprint_of(number), MADE, end) for number in range(6000)]
    days = [window.begins_at.date() for window in windows if window]
    assert len(set(days)) >= 60
    busiest = max(days.count(day) for day in set(days))
    assert busiest < 2 * len(days) / 60


@pytest.mark.parametrize(
    ("thumbprint", "begins"),
    [("A" * 43, "2027-07-23T08:00:00"), ("_" * 42 + "8", "2027-09-22T04:00:00")],
)
def test_the_first_and_the_last_day_on_which_a_renewal_begins(thumbprint: str, begins: str) -> None:
    made = datetime(2026, 11, 22, tzinfo=UTC)
    window = renewal_window(thumbprint, made, datetime(2027, 11, 22, tzinfo=UTC))
    assert window is not None
    assert window.begins_at.isoformat() == f"{begins}+00:00"


def test_a_key_without_an_end_is_not_renewed() -> None:
    assert renewal_window(thumbprint_of(1), MADE, None) is None
