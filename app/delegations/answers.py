"""What an answer of Altinn's means for a delegation. Plain values in, plain values out."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from app.apis.catalogue import RightKind
from app.delegations.rules import (
    OF_ORGANIZATION,
    OPEN_REQUEST,
    OVER,
    TRANSITIONS,
    Event,
    State,
)
from app.state_machine import next_state

# Altinn agrees with itself after at most this long: two noes must be as far apart.
SETTLED_AFTER = timedelta(minutes=10)
PROPAGATED_AFTER = timedelta(minutes=12)
REQUEST_LIFE = timedelta(days=30)
ENDED_REQUEST_IS_SHOWN = timedelta(days=7)


class Source(StrEnum):
    """Which of Altinn's calls an answer came from."""

    MASKINPORTEN = "maskinportenDelegations"
    PDP = "pdp"
    AUTHORIZED_PARTIES = "authorizedParties"


class Found(StrEnum):
    GIVEN = "given"
    NOT_GIVEN = "notGiven"
    NO_SUCH_PARTY = "noSuchParty"


class RequestStatus(StrEnum):
    """Altinn's own words."""

    DRAFT = "Draft"
    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


class Answer(Struct, frozen=True, kw_only=True):
    found: Found
    source: Source
    decision: str
    """The word that Altinn used, kept as evidence."""
    request_ref: str | None = None
    """By which Altinn can find the call again."""
    request_status: RequestStatus | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """All of a record that decides what an answer does to it."""

    state: State
    since: datetime
    not_seen_after_approval: bool = False
    first_no_at: datetime | None = None
    first_no_by: Source | None = None
    requested_at: datetime | None = None


STATUS_EVENTS = {
    RequestStatus.DRAFT: Event.REQUESTED,
    RequestStatus.PENDING: Event.REQUEST_PENDING,
    RequestStatus.APPROVED: Event.APPROVED,
    RequestStatus.REJECTED: Event.REFUSED,
    RequestStatus.WITHDRAWN: Event.WITHDRAWN,
}


def source_to_ask(kind: RightKind, standing: Standing) -> Source:
    """In doubt, the call that did not give rise to it."""
    first = Source.MASKINPORTEN if kind == RightKind.MASKINPORTEN_SCHEMA else Source.PDP
    if standing.state == State.SUSPECT and standing.first_no_by == first:
        return Source.AUTHORIZED_PARTIES
    return first


def after_answer(
    standing: Standing,
    answer: Answer,
    now: datetime,
    *,
    giver_gone: bool = False,
    scale: float = 1.0,
) -> Standing:
    """`giver_gone`: Enhetsregisteret says that the giver can no longer act. Altinn's yes still
    counts; its no means that there is nobody to give the right, and not that it is missing."""
    if answer.request_status is not None and standing.state in OPEN_REQUEST:
        standing = after_event(standing, STATUS_EVENTS[answer.request_status], now)
    if answer.found == Found.GIVEN:
        return after_event(standing, Event.SEEN, now)
    if standing.state == State.SUSPECT:
        return _doubted(standing, answer, now, scale)
    if standing.state == State.ACTIVE:
        doubted = after_event(standing, Event.NOT_SEEN, now)
        return replace(doubted, first_no_at=now, first_no_by=answer.source)
    if giver_gone or answer.found == Found.NO_SUCH_PARTY:
        return after_event(standing, Event.ORGANIZATION_BLOCKED, now)
    if standing.state in OF_ORGANIZATION:
        standing = after_event(standing, Event.ORGANIZATION_FREE, now)
    standing = after_event(standing, Event.NOT_SEEN, now)
    return (
        after_event(standing, Event.LAPSED, now) if has_lapsed(standing, now, scale) else standing
    )


def _doubted(standing: Standing, answer: Answer, now: datetime, scale: float) -> Standing:
    """One no proves nothing: a hidden failure inside Altinn looks the same."""
    first_no_at = standing.first_no_at
    settled = first_no_at is not None and now - first_no_at >= SETTLED_AFTER / scale
    if settled and answer.source != standing.first_no_by:
        return after_event(standing, Event.NOT_SEEN, now)
    return standing


def has_lapsed(standing: Standing, now: datetime, scale: float) -> bool:
    if standing.state == State.APPROVED_PROPAGATING:
        return now - standing.since >= PROPAGATED_AFTER / scale
    if standing.state in OPEN_REQUEST:
        asked_at = standing.requested_at
        return asked_at is not None and now - asked_at >= REQUEST_LIFE / scale
    return standing.state in OVER and now - standing.since >= ENDED_REQUEST_IS_SHOWN / scale


def after_event(standing: Standing, event: Event, now: datetime) -> Standing:
    state = next_state(TRANSITIONS, standing.state, event)
    if state == standing.state:
        return standing
    keeps_doubt = state in (State.SUSPECT, State.REVOKED)
    return Standing(
        state=state,
        since=now,
        not_seen_after_approval=(
            standing.state == State.APPROVED_PROPAGATING and state == State.MISSING
        ),
        first_no_at=standing.first_no_at if keeps_doubt else None,
        first_no_by=standing.first_no_by if keeps_doubt else None,
        requested_at=standing.requested_at,
    )
