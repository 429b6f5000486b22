"""The life of an access, and what comes of it for a scope and for a claim."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from msgspec import Struct

from app.apis.catalogue import ClientClaim, OrganizationRule, Policy, ScopeDecision
from app.problems import Problem
from app.settings import Environment
from app.state_machine import Transitions, WrongState


class NothingToDecide(Problem):
    slug = "nothing-to-decide"
    title = "Nothing here waits for a decision"
    status = HTTPStatus.NOT_FOUND


class AccessState(StrEnum):
    PENDING = "pending"
    GRANTED = "granted"
    REJECTED = "rejected"
    REVOKED = "revoked"


class AccessEvent(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


TRANSITIONS: Transitions[AccessState, AccessEvent] = {
    (AccessState.PENDING, AccessEvent.APPROVE): AccessState.GRANTED,
    (AccessState.PENDING, AccessEvent.REFUSE): AccessState.REJECTED,
    # An owner who refuses what he had granted takes it back.
    (AccessState.GRANTED, AccessEvent.REFUSE): AccessState.REVOKED,
    (AccessState.REJECTED, AccessEvent.APPROVE): AccessState.GRANTED,
    (AccessState.REVOKED, AccessEvent.APPROVE): AccessState.GRANTED,
}

# What an owner has said no to stays so when the client drops the scope and asks for it again.
REMEMBERED = (AccessState.REJECTED, AccessState.REVOKED)


class Status(StrEnum):
    """The contract's words for a scope and for a claim."""

    OK = "ok"
    PENDING = "pending"
    UPDATE_PENDING = "updatePending"


class ReasonCode(StrEnum):
    """Why something is not `ok`. The first six are those of the legacy status, camelCased.

    Those of a delegation are found by `app.delegations`, which has their texts.
    """

    API_ACCESS_PENDING = "apiAccessPending"
    API_ACCESS_REJECTED = "apiAccessRejected"
    API_ACCESS_REVOKED = "apiAccessRevoked"
    API_SCOPE_ACCESS_PENDING = "apiScopeAccessPending"
    API_SCOPE_ACCESS_REJECTED = "apiScopeAccessRejected"
    API_SCOPE_ACCESS_REVOKED = "apiScopeAccessRevoked"
    CLAIM_VALUE_PENDING = "claimValuePending"
    CLAIM_VALUE_REFUSED = "claimValueRefused"
    DELEGATION_UNKNOWN = "delegationUnknown"
    DELEGATION_MISSING = "delegationMissing"
    DELEGATION_NOT_SEEN = "delegationNotSeen"
    DELEGATION_REQUEST_UNCONFIRMED = "delegationRequestUnconfirmed"
    DELEGATION_REQUESTED = "delegationRequested"
    DELEGATION_REJECTED = "delegationRejected"
    DELEGATION_REQUEST_ENDED = "delegationRequestEnded"
    DELEGATION_PROPAGATING = "delegationPropagating"
    DELEGATION_SUSPECT = "delegationSuspect"
    DELEGATION_REVOKED = "delegationRevoked"
    DELEGATION_BLOCKED = "delegationBlocked"
    DELEGATION_SOURCE_GONE = "delegationSourceGone"

    @property
    def is_of_delegation(self) -> bool:
        return self.value.startswith("delegation")

    @property
    def legacy(self) -> str:
        """In the words of the old status, which knew nothing of delegations."""
        code = ReasonCode.API_SCOPE_ACCESS_PENDING if self.is_of_delegation else self
        return code.value[0].upper() + code.value[1:]


# An owner's no.
REFUSED = frozenset(
    {
        ReasonCode.API_ACCESS_REJECTED,
        ReasonCode.API_ACCESS_REVOKED,
        ReasonCode.API_SCOPE_ACCESS_REJECTED,
        ReasonCode.API_SCOPE_ACCESS_REVOKED,
    }
)

# What counts, first to last: a no says more than a wait, and the API's more than the scope's.
_REASONS: Sequence[tuple[str, AccessState, ReasonCode]] = (
    ("api", AccessState.REJECTED, ReasonCode.API_ACCESS_REJECTED),
    ("api", AccessState.REVOKED, ReasonCode.API_ACCESS_REVOKED),
    ("scope", AccessState.REJECTED, ReasonCode.API_SCOPE_ACCESS_REJECTED),
    ("scope", AccessState.REVOKED, ReasonCode.API_SCOPE_ACCESS_REVOKED),
    ("api", AccessState.PENDING, ReasonCode.API_ACCESS_PENDING),
    ("scope", AccessState.PENDING, ReasonCode.API_SCOPE_ACCESS_PENDING),
)


def scope_status(api: AccessState, scope: AccessState) -> tuple[Status, ReasonCode | None]:
    """A scope can be used when the API and the scope are both granted."""
    if api == scope == AccessState.GRANTED:
        return Status.OK, None
    states = {"api": api, "scope": scope}
    return Status.PENDING, next(code for at, state, code in _REASONS if states[at] == state)


class ClaimState(Struct, frozen=True):
    """A claim's value in the tokens, and the one that is asked for."""

    active: str | None
    pending: str | None = None
    refused: bool = False
    """The owner has said no to the pending value."""


def claim_status(claim: ClaimState) -> tuple[Status, ReasonCode | None]:
    if claim.pending is None:
        return Status.OK, None
    code = ReasonCode.CLAIM_VALUE_REFUSED if claim.refused else ReasonCode.CLAIM_VALUE_PENDING
    return (Status.PENDING if claim.active is None else Status.UPDATE_PENDING), code


def is_automatic(policy: Policy, environment: Environment) -> bool:
    in_test = policy == Policy.AUTOMATIC_IN_TEST and environment == Environment.TEST
    return policy == Policy.AUTOMATIC or in_test


class NewAccess(Struct, frozen=True):
    """How an access begins, and what its owner will do with it of himself."""

    state: AccessState
    decide_at: datetime | None = None
    decide_as: AccessEvent | None = None


def scopes_under_rule(
    rule: OrganizationRule | None, scopes: Sequence[str], client_scope: str
) -> Sequence[str]:
    """The scopes that an organization's own rule decides on, whatever their policy."""
    others = [scope for scope in scopes if scope != client_scope]
    if rule is None or rule.scopes is None:
        return []
    return others if rule.scopes.which == "all" else others[-1:]


def initial_access(
    policy: Policy,
    environment: Environment,
    decision: ScopeDecision | None,
    now: datetime,
    time_scale: float = 1.0,
) -> NewAccess:
    """How access to a newly asked scope begins. `decision` is the organization's rule for it."""
    if decision is None:
        automatic = is_automatic(policy, environment)
        return NewAccess(AccessState.GRANTED if automatic else AccessState.PENDING)
    if decision.decision is None:
        return NewAccess(AccessState.PENDING)
    event = AccessEvent(decision.decision)
    if decision.after_seconds == 0:
        return NewAccess(TRANSITIONS[AccessState.PENDING, event])
    decided_after = timedelta(seconds=decision.after_seconds) / time_scale
    return NewAccess(AccessState.PENDING, now + decided_after, event)


def api_access(current: AccessState | None, scopes: Iterable[AccessState]) -> AccessState:
    """Access to an API waits only while nothing in it is granted; what is decided stays."""
    if current not in (None, AccessState.PENDING):
        return current
    return AccessState.GRANTED if AccessState.GRANTED in scopes else AccessState.PENDING


def claim_policy(claim: ClientClaim, rule: OrganizationRule | None, active: str | None) -> Policy:
    """Who decides on a value, given the one that is in the tokens now."""
    special = rule and (rule.first_claim_value if active is None else rule.changed_claim_value)
    return special or claim.policy


def claim_after_asking(current: ClaimState | None, asked: str, *, automatic: bool) -> ClaimState:
    """A changed value waits while the old one stands; asking for the old one ends the wait."""
    active = current.active if current else None
    if asked == active:
        return ClaimState(active)
    if current is not None and asked == current.pending:
        return current
    return ClaimState(asked) if automatic else ClaimState(active, asked)


def claim_after_decision(claim: ClaimState, event: AccessEvent) -> ClaimState:
    """An owner may still approve what he has refused; where nothing waits he has no say."""
    if claim.pending is None or (claim.refused and event == AccessEvent.REFUSE):
        raise WrongState(f"Cannot {event}: no value waits for a decision.")
    if event == AccessEvent.APPROVE:
        return ClaimState(claim.pending)
    return ClaimState(claim.active, claim.pending, refused=True)
