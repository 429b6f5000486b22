"""The life of a client's key."""

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from http import HTTPStatus

from msgspec import Struct, field

from app.problems import FieldError, InvalidRequest, Problem
from app.state_machine import Transitions, next_state


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


class Unusable(StrEnum):
    """Why the token issuer does not take a key."""

    NOT_PUBLISHED_YET = "notPublishedYet"
    RETIRED = "retired"
    EXPIRED = "expired"
    REVOKED = "revoked"


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

UNUSABLE = {
    KeyState.ACTIVATING: Unusable.NOT_PUBLISHED_YET,
    KeyState.RETIRED: Unusable.RETIRED,
    KeyState.EXPIRED: Unusable.EXPIRED,
    KeyState.REVOKED: Unusable.REVOKED,
}

LIVE = (KeyState.ACTIVATING, KeyState.ACTIVE, KeyState.RETIRING)
MOST_LIVE_KEYS = 10
GRACE = timedelta(hours=24)
# Stands for the end of a key that has none where the contract wants a moment. Not the last one
# there is: installers turn it into local time.
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


def end_of_life(now: datetime, days: int, *, scale: float = 1.0) -> datetime:
    """Midnight UTC at the beginning of the day on which the key's life is over.

    To the moment where the time's scale is another: a life may be seconds there.
    """
    if scale != 1:
        return now + timedelta(days=days) / scale
    return datetime.combine((now + timedelta(days=days)).date(), time(), UTC)


def due_end(
    state: KeyState, expires_at: datetime | None, retires_at: datetime | None, now: datetime
) -> KeyEvent | None:
    """What has ended a live key whose time is over; where both have, what came first."""
    ends = {KeyEvent.EXPIRE: expires_at, KeyEvent.GRACE_OVER: None}
    if state == KeyState.RETIRING:
        ends[KeyEvent.GRACE_OVER] = retires_at
    due = [(at, event) for event, at in ends.items() if at is not None and at <= now]
    return min(due)[1] if state in LIVE and due else None


def unusable(
    state: KeyState, expires_at: datetime | None, retires_at: datetime | None, now: datetime
) -> Unusable | None:
    """Why the token issuer does not take the key now; None where it does."""
    if event := due_end(state, expires_at, retires_at, now):
        state = next_state(TRANSITIONS, state, event)
    return UNUSABLE.get(state)


USE_IS_NOTED_EVERY = timedelta(minutes=1)


def is_seen_anew(used_at: datetime | None, now: datetime) -> bool:
    """Once a minute is enough to know that a key is in use."""
    return used_at is None or now - used_at > USE_IS_NOTED_EVERY


class RenewalWindow(Struct, frozen=True):
    """When the key is best renewed: from then on, and before its end."""

    begins_at: datetime = field(name="from")
    ends_at: datetime = field(name="to")


def renewal_window(
    thumbprint: str, created_at: datetime, expires_at: datetime | None
) -> RenewalWindow | None:
    """The last third of the key's life, begun later by up to half of it: a sixth is always left.

    How much later is read out of the thumbprint, which is a hash: keys that were made in one
    night are not renewed in one night, and each process says the same. None without an end.
    """
    if expires_at is None:
        return None
    third = (expires_at - created_at) / 3
    share = int.from_bytes(urlsafe_b64decode(thumbprint[:8])) / 2**48
    begins_at = (expires_at - third + third / 2 * share).replace(microsecond=0)
    return RenewalWindow(begins_at, expires_at)


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
        super().__init__(
            "Without this key the client could not log in. Add a new key first, and ask with its "
            "`checks` whether the token issuer takes it."
        )


class KeyNotFound(Problem):
    slug = "key-not-found"
    title = "The client has no such key"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Keys are named by `jwkThumbprint`: see GET /v1/client-secret.")
