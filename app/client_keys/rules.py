"""The life of a client's key."""

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from http import HTTPStatus

from app.problems import FieldError, InvalidRequest, Problem
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
# Stands for the end of a key that has none where the contract wants a moment. Not the last one
# there is: installers turn it into local time.
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


def end_of_life(now: datetime, days: int) -> datetime:
    """Midnight UTC at the beginning of the day on which the key's life is over."""
    return datetime.combine((now + timedelta(days=days)).date(), time(), UTC)


class KeyTaken(Problem):
    """It tells nothing of the client that has the key."""

    slug = "key-taken"
    title = "The public key is already in use"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__("This key cannot be registered. Make a new key pair.")


class TooManyKeys(InvalidRequest):
    slug = "too-many-keys"
    title = "The client has as many keys as it may have"
    whole_body_is = "publicJwk"

    def __init__(self) -> None:
        super().__init__(
            [
                FieldError(
                    "#",
                    "too_many_keys",
                    f"The client has {MOST_LIVE_KEYS} live keys, and none is dropped for a new "
                    "one. Retire one first: DELETE /v1/client-secret/{jwkThumbprint}.",
                )
            ]
        )


class KidTaken(InvalidRequest):
    slug = "kid-taken"
    title = "The client has another key with this kid"
    whole_body_is = "publicJwk"

    def __init__(self, kid: str) -> None:
        detail = f"The client has, or has had, another key with the kid {kid}: choose another."
        super().__init__([FieldError("#/kid", "kid_taken", detail)])


class LastUsableKey(Problem):
    slug = "last-usable-key"
    title = "The last usable key is not retired"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__("Without this key the client could not log in. Add a new key first.")


class KeyNotFound(Problem):
    slug = "key-not-found"
    title = "The client has no such key"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Keys are named by `jwkThumbprint`: see GET /v1/client-secret.")
