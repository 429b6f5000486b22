"""The life of a draft, and what it may ask for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from app.problems import FieldError, InvalidRequest, Problem
from app.state_machine import Transitions


class DraftStatus(StrEnum):
    PENDING = "pending"
    VERIFYING_RIGHT = "verifyingRight"  # somebody has confirmed who may or may not
    AWAITING_ACTIVATION = "awaitingActivation"  # confirmed; the program has yet to say so
    AWAITING_EXCHANGE = "awaitingExchange"  # confirmed; the keys of a client in use change later
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"


class ActivationStatus(StrEnum):
    """How far a draft has come whose activation has been taken."""

    CONFIRMED = "confirmed"
    VERIFYING_RIGHT = "verifyingRight"
    AWAITING_EXCHANGE = "awaitingExchange"


class DraftEvent(StrEnum):
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"
    PARK = "park"
    VERIFY = "verify"
    REFUSE = "refuse"
    AWAIT_ACTIVATION = "await activation"
    ACTIVATE = "activate"
    DELAY = "delay"
    EXCHANGE = "exchange"
    STOP = "stop"
    LAPSE = "lapse"  # nobody has activated in time: it can be confirmed again
    LENGTHEN = "lengthen"


TRANSITIONS: Transitions[DraftStatus, DraftEvent] = {
    (DraftStatus.PENDING, DraftEvent.CONFIRM): DraftStatus.CONFIRMED,
    (DraftStatus.PENDING, DraftEvent.DECLINE): DraftStatus.DECLINED,
    (DraftStatus.PENDING, DraftEvent.EXPIRE): DraftStatus.EXPIRED,
    (DraftStatus.PENDING, DraftEvent.PARK): DraftStatus.VERIFYING_RIGHT,
    (DraftStatus.PENDING, DraftEvent.LENGTHEN): DraftStatus.PENDING,
    (DraftStatus.EXPIRED, DraftEvent.LENGTHEN): DraftStatus.PENDING,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.VERIFY): DraftStatus.CONFIRMED,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.REFUSE): DraftStatus.DECLINED,
    (DraftStatus.PENDING, DraftEvent.AWAIT_ACTIVATION): DraftStatus.AWAITING_ACTIVATION,
    (DraftStatus.AWAITING_ACTIVATION, DraftEvent.ACTIVATE): DraftStatus.CONFIRMED,
    (DraftStatus.AWAITING_ACTIVATION, DraftEvent.LAPSE): DraftStatus.PENDING,
    # The program may be faster than Altinn, or slower.
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.ACTIVATE): DraftStatus.VERIFYING_RIGHT,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.AWAIT_ACTIVATION): DraftStatus.AWAITING_ACTIVATION,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.LAPSE): DraftStatus.PENDING,
    (DraftStatus.CONFIRMED, DraftEvent.DELAY): DraftStatus.AWAITING_EXCHANGE,
    (DraftStatus.AWAITING_EXCHANGE, DraftEvent.EXCHANGE): DraftStatus.CONFIRMED,
    (DraftStatus.AWAITING_EXCHANGE, DraftEvent.STOP): DraftStatus.DECLINED,
    (DraftStatus.AWAITING_EXCHANGE, DraftEvent.REFUSE): DraftStatus.DECLINED,
}

READABLE_AFTER_DECISION = timedelta(days=30)
MOST_LENGTHENINGS = 5


class LastVisit(StrEnum):
    """How the last person who came to a draft's page got on. None of these says who it was."""

    OPENED = "opened"
    LOGIN_FAILED = "loginFailed"
    LACKS_RIGHT = "lacksRight"
    PASSED_ON = "passedOn"


def visit_after(before: LastVisit | None, now: LastVisit) -> LastVisit:
    """What is known after a visit. Who has passed the link on, and looks again, still waits."""
    if before is LastVisit.PASSED_ON and now is LastVisit.LACKS_RIGHT:
        return before
    return now


class DeclineReason(StrEnum):
    """Why there is no client: in a person's words, or in ours once a decision was parked."""

    WRONG_ORGANIZATION = "wrongOrganization"
    NOT_ORDERED = "notOrdered"
    UNSURE = "unsure"
    NO_RIGHT = "noRight"
    NOT_VERIFIED = "notVerified"
    ORGANIZATION_REFUSED = "organizationRefused"
    NO_LONGER_OFFERED = "noLongerOffered"
    KEY_TAKEN = "keyTaken"
    STOPPED = "stopped"


REASONS_OF_PERSONS = frozenset(
    {DeclineReason.WRONG_ORGANIZATION, DeclineReason.NOT_ORDERED, DeclineReason.UNSURE}
)

VERIFIED_WITHIN = timedelta(hours=24)
"""How long a parked decision waits for an answer. The person's number is kept no longer."""
SURE_OF_NO_AFTER = timedelta(minutes=10)
"""Until then a no may only mean that Altinn has not noticed what somebody gave a moment before."""
URGENT_FOR = timedelta(minutes=2)
"""How long a person is taken to sit before the page, waiting."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
LEAST_PAUSE = timedelta(seconds=1)
"""However time is scaled, Altinn is not asked more often."""

SEEN_LATELY = timedelta(days=7)
EXCHANGED_AFTER = timedelta(hours=24)
"""How long the keys of a client that was seen lately can be saved from being replaced."""

LEAST_TO_ACT = timedelta(seconds=5)
"""However time is scaled, a person or a program can do something within this."""
ACTIVATED_WITHIN = timedelta(minutes=10)
"""How long a program has to send the activation code back."""


def wait_before_asking(attempts: int, jitter: float) -> timedelta:
    """Until a parked decision is asked about again; `jitter` is between 0 and 1."""
    times: int = 2 ** min(attempts, 10)
    wait = min(FIRST_WAIT * times, LONGEST_WAIT)
    return wait * (0.75 + jitter / 2)


def is_seen_lately(moments: Sequence[datetime | None], now: datetime, lately: timedelta) -> bool:
    """Whether an installation that is said to be lost may still be there."""
    return any(moment is not None and now - moment <= lately for moment in moments)


def status_now(
    status: DraftStatus,
    expires_at: datetime,
    now: datetime,
    activation_until: datetime | None = None,
) -> DraftStatus:
    """What falls due holds from that moment, also before the job has written it down."""
    awaited = status == DraftStatus.AWAITING_ACTIVATION
    if awaited and activation_until is not None and now >= activation_until:
        status = DraftStatus.PENDING
    return DraftStatus.EXPIRED if status == DraftStatus.PENDING and now >= expires_at else status


class DraftNotFound(Problem):
    slug = "draft-not-found"
    title = "There is no such draft"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No draft has this id. Make a new one.")


class DraftExpired(Problem):
    slug = "draft-expired"
    title = "The draft was not confirmed in time"
    status = HTTPStatus.CONFLICT

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(f"The draft expired at {expired_at:%Y-%m-%d %H:%M} UTC. Make a new one.")


class DraftOutdated(Problem):
    """What it asks for was acceptable once, and no longer is."""

    slug = "draft-outdated"
    title = "The draft can no longer be confirmed"
    status = HTTPStatus.CONFLICT

    def __init__(
        self, detail: str, *, organization_refused: bool = False, not_replaceable: bool = False
    ) -> None:
        super().__init__(f"{detail} Make a new draft.")
        self.not_replaceable = not_replaceable
        """The client whose keys it would replace is why."""
        self.organization_refused = organization_refused
        """Enhetsregisteret is why; else it is the catalogue."""


class ActivationCodeRejected(InvalidRequest):
    slug = "activation-code-rejected"
    title = "The activation code is not the one that was given"

    def __init__(self, pointer: str) -> None:
        detail = (
            "`code` is not the activation code of this draft's newest confirmation. Send the "
            "`code` that came beside `status` in the query of the redirect, as it came."
        )
        super().__init__([FieldError(pointer, "wrong_code", detail)])


class ActivationLapsed(Problem):
    slug = "activation-lapsed"
    title = "The activation code came too late"
    status = HTTPStatus.CONFLICT

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"The code could be used until {until:%Y-%m-%d %H:%M} UTC, and there is no client. "
            "Open `confirmUrl` again: the person can confirm once more, as long as the draft lives."
        )


class ReplacedClientNotFound(Problem):
    """One refusal for a client that is unknown, foreign, blocked or closed."""

    slug = "replaced-client-not-found"
    title = "There is no such client to replace the keys of"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "`replacesKeysOf` names a client of the same client system and organization that is "
            "in use. Without it a new client is asked for."
        )


class NoReplacement(Problem):
    slug = "no-key-replacement"
    title = "No replacement of the keys is waiting"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Nobody has asked for it, or it has been stopped, or it has happened.")


class LengthenedTooOften(Problem):
    slug = "draft-lengthened-too-often"
    title = "The draft has been lengthened as often as it may be"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            f"A draft is lengthened {MOST_LENGTHENINGS} times at most. Make a new one."
        )
