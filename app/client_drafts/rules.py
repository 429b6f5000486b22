"""The life of a draft, and what it may ask for."""

from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from app.problems import Problem
from app.state_machine import Transitions


class DraftStatus(StrEnum):
    PENDING = "pending"
    VERIFYING_RIGHT = "verifyingRight"  # somebody has confirmed who may or may not
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"


class DraftEvent(StrEnum):
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"
    PARK = "park"
    VERIFY = "verify"
    REFUSE = "refuse"


TRANSITIONS: Transitions[DraftStatus, DraftEvent] = {
    (DraftStatus.PENDING, DraftEvent.CONFIRM): DraftStatus.CONFIRMED,
    (DraftStatus.PENDING, DraftEvent.DECLINE): DraftStatus.DECLINED,
    (DraftStatus.PENDING, DraftEvent.EXPIRE): DraftStatus.EXPIRED,
    (DraftStatus.PENDING, DraftEvent.PARK): DraftStatus.VERIFYING_RIGHT,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.VERIFY): DraftStatus.CONFIRMED,
    (DraftStatus.VERIFYING_RIGHT, DraftEvent.REFUSE): DraftStatus.DECLINED,
}

READABLE_AFTER_DECISION = timedelta(days=30)


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


REASONS_OF_PERSONS = frozenset(
    {DeclineReason.WRONG_ORGANIZATION, DeclineReason.NOT_ORDERED, DeclineReason.UNSURE}
)

VERIFIED_WITHIN = timedelta(hours=24)
"""How long a parked decision waits for an answer. The person's number is kept no longer."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)


def wait_before_asking(attempts: int, jitter: float) -> timedelta:
    """Until a parked decision is asked about again; `jitter` is between 0 and 1."""
    times: int = 2 ** min(attempts, 10)
    wait = min(FIRST_WAIT * times, LONGEST_WAIT)
    return wait * (0.75 + jitter / 2)


def status_now(status: DraftStatus, expires_at: datetime, now: datetime) -> DraftStatus:
    """Expiry holds from the moment it is due, also before the job has written it down."""
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

    def __init__(self, detail: str, *, organization_refused: bool = False) -> None:
        super().__init__(f"{detail} Make a new draft.")
        self.organization_refused = organization_refused
        """Enhetsregisteret is why; else it is the catalogue."""
