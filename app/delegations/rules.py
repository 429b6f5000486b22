"""The life of a delegation: one table of state by event, who is awaited, what may be used."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from app.approvals.rules import ReasonCode
from app.problems import Problem
from app.state_machine import Transitions


class DelegationNotFound(Problem):
    slug = "delegation-not-found"
    title = "The client has no such delegation"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("`GET /v1/client/delegations` lists those that the client has.")


class AltinnAway(Problem):
    slug = "altinn-unavailable"
    title = "Altinn does not answer just now"
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "Nothing was changed. Ask again in a moment: a request that Altinn did take is found "
            "again.",
            headers={"Retry-After": "5"},
        )


class State(StrEnum):
    NOT_REQUIRED = "notRequired"
    BLOCKED_ORGANIZATION = "blockedOrganisation"
    UNKNOWN = "unknown"
    MISSING = "missing"
    REQUEST_DRAFT = "requestDraft"
    REQUEST_PENDING = "requestPending"
    REQUEST_REJECTED = "requestRejected"
    REQUEST_WITHDRAWN = "requestWithdrawn"
    REQUEST_EXPIRED = "requestExpired"
    APPROVED_PROPAGATING = "approvedPropagating"
    ACTIVE = "active"
    SUSPECT = "suspect"
    REVOKED = "revoked"
    REVOKED_SOURCE = "revokedSource"


class Event(StrEnum):
    SEEN = "seen"
    NOT_SEEN = "notSeen"
    REQUESTED = "requested"
    REQUEST_PENDING = "requestPending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    ORGANIZATION_BLOCKED = "organisationBlocked"
    ORGANIZATION_FREE = "organisationFree"
    NOT_NEEDED = "notNeeded"
    FAILED = "failed"


class Actor(StrEnum):
    """Who has to act next. The names are those of the onboarding's steps."""

    SUPPLIER = "supplier"
    END_USER = "endUser"
    ACCESS_MANAGER = "accessManager"
    API_OWNER = "apiOwner"
    ALTINN = "altinn"
    PLATFORM = "platform"


NOT, BLO, UNK = State.NOT_REQUIRED, State.BLOCKED_ORGANIZATION, State.UNKNOWN
MIS, DRA, PEN = State.MISSING, State.REQUEST_DRAFT, State.REQUEST_PENDING
REJ, WDR, EXP = State.REQUEST_REJECTED, State.REQUEST_WITHDRAWN, State.REQUEST_EXPIRED
PRO, ACT, SUS = State.APPROVED_PROPAGATING, State.ACTIVE, State.SUSPECT
REV, SRC = State.REVOKED, State.REVOKED_SOURCE
___ = None  # stays as it is

# The columns are the events in their order above: seen, not seen, requested, request pending,
# approved, refused, withdrawn, lapsed, organization blocked, organization free, not needed, failed.
#
# "Not seen" in `suspect` is the second no, of another call and ten minutes after the first; until
# then there is no event. A request does not touch a right that is there. There is no state for a
# request that was passed on: Altinn tells nobody of it, and the one who must act is the same.
TABLE: Mapping[State, tuple[State | None, ...]] = {
    #    see  not  req  pen  app  ref  wit  lap  blo  fre  nee  fai
    NOT: (___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___),
    BLO: (ACT, ___, ___, ___, ___, ___, ___, ___, ___, UNK, NOT, ___),
    UNK: (ACT, MIS, DRA, PEN, PRO, ___, ___, ___, BLO, ___, NOT, ___),
    MIS: (ACT, ___, DRA, PEN, PRO, ___, ___, ___, BLO, ___, NOT, ___),
    DRA: (ACT, ___, ___, PEN, PRO, REJ, WDR, EXP, BLO, ___, NOT, ___),
    PEN: (ACT, ___, ___, ___, PRO, REJ, WDR, EXP, BLO, ___, NOT, ___),
    REJ: (ACT, ___, DRA, PEN, PRO, ___, ___, MIS, BLO, ___, NOT, ___),
    WDR: (ACT, ___, DRA, PEN, PRO, ___, ___, MIS, BLO, ___, NOT, ___),
    EXP: (ACT, ___, DRA, PEN, PRO, ___, ___, MIS, BLO, ___, NOT, ___),
    PRO: (ACT, ___, ___, ___, ___, ___, ___, MIS, BLO, ___, NOT, ___),
    ACT: (___, SUS, ___, ___, ___, ___, ___, ___, SRC, ___, NOT, ___),
    SUS: (ACT, REV, ___, ___, ___, ___, ___, ___, SRC, ___, NOT, ___),
    REV: (ACT, ___, DRA, PEN, PRO, ___, ___, ___, BLO, ___, NOT, ___),
    SRC: (ACT, ___, ___, ___, ___, ___, ___, ___, ___, UNK, NOT, ___),
}

TRANSITIONS: Transitions[State, Event] = {
    (state, event): following or state
    for state, row in TABLE.items()
    for event, following in zip(Event, row, strict=True)
}

AWAITING: Mapping[State, Actor | None] = {
    State.NOT_REQUIRED: None,
    State.BLOCKED_ORGANIZATION: Actor.SUPPLIER,
    State.UNKNOWN: Actor.PLATFORM,
    State.MISSING: Actor.ACCESS_MANAGER,
    State.REQUEST_DRAFT: Actor.SUPPLIER,
    State.REQUEST_PENDING: Actor.ACCESS_MANAGER,
    State.REQUEST_REJECTED: Actor.SUPPLIER,
    State.REQUEST_WITHDRAWN: Actor.SUPPLIER,
    State.REQUEST_EXPIRED: Actor.SUPPLIER,
    State.APPROVED_PROPAGATING: Actor.ALTINN,
    State.ACTIVE: None,
    State.SUSPECT: Actor.PLATFORM,
    State.REVOKED: Actor.ACCESS_MANAGER,
    State.REVOKED_SOURCE: Actor.END_USER,
}

# Where somebody whom the wizard's user can reach has something to press in Altinn.
HAS_LINK = frozenset({MIS, DRA, PEN, REJ, WDR, EXP, REV})

# A request that has not been decided.
OPEN_REQUEST = frozenset({DRA, PEN})
OVER = frozenset({REJ, WDR, EXP})
MAY_BE_REQUESTED = frozenset({UNK, MIS, REV}) | OVER
OF_ORGANIZATION = frozenset({BLO, SRC})

# What has been given counts until it is certain that it is no longer.
USABLE = frozenset({NOT, ACT, SUS})

REASON_CODES: Mapping[State, ReasonCode | None] = {
    State.NOT_REQUIRED: None,
    State.BLOCKED_ORGANIZATION: ReasonCode.DELEGATION_BLOCKED,
    State.UNKNOWN: ReasonCode.DELEGATION_UNKNOWN,
    State.MISSING: ReasonCode.DELEGATION_MISSING,
    State.REQUEST_DRAFT: ReasonCode.DELEGATION_REQUEST_UNCONFIRMED,
    State.REQUEST_PENDING: ReasonCode.DELEGATION_REQUESTED,
    State.REQUEST_REJECTED: ReasonCode.DELEGATION_REJECTED,
    State.REQUEST_WITHDRAWN: ReasonCode.DELEGATION_REQUEST_ENDED,
    State.REQUEST_EXPIRED: ReasonCode.DELEGATION_REQUEST_ENDED,
    State.APPROVED_PROPAGATING: ReasonCode.DELEGATION_PROPAGATING,
    State.ACTIVE: None,
    State.SUSPECT: ReasonCode.DELEGATION_SUSPECT,
    State.REVOKED: ReasonCode.DELEGATION_REVOKED,
    State.REVOKED_SOURCE: ReasonCode.DELEGATION_SOURCE_GONE,
}


def reason_code(state: State, *, not_seen_after_approval: bool = False) -> ReasonCode | None:
    if state == State.MISSING and not_seen_after_approval:
        return ReasonCode.DELEGATION_NOT_SEEN
    return REASON_CODES[state]
