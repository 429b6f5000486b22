"""The life of a draft, and what it may ask for."""

from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from app.problems import Problem
from app.state_machine import Transitions


class DraftStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"


class DraftEvent(StrEnum):
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"


TRANSITIONS: Transitions[DraftStatus, DraftEvent] = {
    (DraftStatus.PENDING, DraftEvent.CONFIRM): DraftStatus.CONFIRMED,
    (DraftStatus.PENDING, DraftEvent.DECLINE): DraftStatus.DECLINED,
    (DraftStatus.PENDING, DraftEvent.EXPIRE): DraftStatus.EXPIRED,
}

READABLE_AFTER_DECISION = timedelta(days=30)


class DeclineReason(StrEnum):
    WRONG_ORGANIZATION = "wrongOrganization"
    NOT_ORDERED = "notOrdered"
    UNSURE = "unsure"


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
