"""The life of a key: every state by every event, and where its end falls."""

from datetime import UTC, datetime

import pytest

from app.client_keys.rules import LIVE, TRANSITIONS, KeyEvent, KeyState, end_of_life
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
