"""The life of a client's key."""

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from app.state_machine import Transitions


class KeyState(StrEnum):
    ACTIVATING = "activating"  # registered here, the token issuer is yet to be told
    ACTIVE = "active"
    RETIRING = "retiring"  # works until its grace is over
    RETIRED = "retired"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyEvent(StrEnum):
    PUBLISHED = "published"
    RETIRE = "retire"
    GRACE_OVER = "grace over"
    EXPIRE = "expire"
    REVOKE = "revoke"


class KeyOrigin(StrEnum):
    GUI = "Gui"
    API = "Api"


TRANSITIONS: Transitions[KeyState, KeyEvent] = {
    (KeyState.ACTIVATING, KeyEvent.PUBLISHED): KeyState.ACTIVE,
    (KeyState.ACTIVATING, KeyEvent.RETIRE): KeyState.RETIRING,
    (KeyState.ACTIVATING, KeyEvent.EXPIRE): KeyState.EXPIRED,
    (KeyState.ACTIVATING, KeyEvent.REVOKE): KeyState.REVOKED,
    (KeyState.ACTIVE, KeyEvent.RETIRE): KeyState.RETIRING,
    (KeyState.ACTIVE, KeyEvent.EXPIRE): KeyState.EXPIRED,
    (KeyState.ACTIVE, KeyEvent.REVOKE): KeyState.REVOKED,
    (KeyState.RETIRING, KeyEvent.GRACE_OVER): KeyState.RETIRED,
    (KeyState.RETIRING, KeyEvent.EXPIRE): KeyState.EXPIRED,
    (KeyState.RETIRING, KeyEvent.REVOKE): KeyState.REVOKED,
}

LIVE = (KeyState.ACTIVATING, KeyState.ACTIVE, KeyState.RETIRING)
MOST_LIVE_KEYS = 10
GRACE = timedelta(hours=24)


def end_of_life(now: datetime, days: int) -> datetime:
    """Midnight UTC at the beginning of the day on which the key's life is over."""
    return datetime.combine((now + timedelta(days=days)).date(), time(), UTC)
