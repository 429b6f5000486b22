"""What an onboarding lacks: one table from what is known to how a step stands, and what of it all.

`TABLE` has a line for each thing that can be known of a step. How the facts are brought to these
lines is `app.onboardings.steps`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from app.approvals.rules import ReasonCode
from app.delegations.rules import Actor, State


class StepCode(StrEnum):
    CONFIRM_CLIENT = "confirmClient"
    ACTIVATE_CLIENT = "activateClient"
    REPLACE_KEYS = "replaceKeys"
    UNBLOCK_CLIENT = "unblockClient"
    REPLACE_CLIENT = "replaceClient"
    DELEGATE_RIGHT = "delegateRight"
    APPROVE_SCOPE = "approveScope"
    APPROVE_CLAIM = "approveClaim"
    PUBLISH_CLIENT = "publishClient"
    RENEW_KEY = "renewKey"


class StepStatus(StrEnum):
    DONE = "done"
    CURRENT = "current"  # somebody whom the wizard's user can reach has to act
    WAITING = "waiting"  # somebody else has to act: nothing to press here
    BLOCKED = "blocked"  # something else has to happen first
    FAILED = "failed"  # over


class Outcome(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Confirmation(StrEnum):
    """What is known of the person who has to confirm, and of what came of it."""

    NOT_OPENED = "notOpened"
    OPENED = "opened"
    LOGIN_FAILED = "loginFailed"
    LACKS_RIGHT = "lacksRight"
    PASSED_ON = "passedOn"
    LAPSED = "activationLapsed"  # somebody has, and the program did not take it
    VERIFYING_RIGHT = "verifyingRight"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"


class Approval(StrEnum):
    """What is known of an owner's decision, where the catalogue leaves it to him."""

    GRANTED = "granted"
    API_PENDING = ReasonCode.API_ACCESS_PENDING.value
    API_REJECTED = ReasonCode.API_ACCESS_REJECTED.value
    API_REVOKED = ReasonCode.API_ACCESS_REVOKED.value
    SCOPE_PENDING = ReasonCode.API_SCOPE_ACCESS_PENDING.value
    SCOPE_REJECTED = ReasonCode.API_SCOPE_ACCESS_REJECTED.value
    SCOPE_REVOKED = ReasonCode.API_SCOPE_ACCESS_REVOKED.value
    FIRST_VALUE_PENDING = ReasonCode.CLAIM_VALUE_PENDING.value
    CHANGED_VALUE_PENDING = "claimChangePending"
    VALUE_REFUSED = ReasonCode.CLAIM_VALUE_REFUSED.value


class Known(StrEnum):
    """What can be known besides."""

    UNCONFIRMED = "notConfirmed"  # of a step that will come: nobody has confirmed yet
    NOT_ACTIVATED = "notActivated"
    ACTIVATED = "activated"
    KEY_SEEN_LATELY = "keySeenLately"  # to who has the new key
    KEYS_SAID_LOST = "keysSaidLost"  # to who has the old ones
    CLIENT_BLOCKED = "clientBlocked"
    CLIENT_CLOSED = "clientClosed"
    ISSUER_KNOWS = "issuerKnows"
    ISSUER_LAGS = "issuerNotTold"
    KEY_IN_WINDOW = "keyExpiresSoon"
    KEY_LEAKED = "keyLeaked"
    NO_KEY = "noUsableKey"


class Shape(Struct, frozen=True):
    """How a step stands: whether the client waits for it, and who acts."""

    status: StepStatus
    blocking: bool
    actor: Actor


_CONFIRM, _DELEGATE = StepCode.CONFIRM_CLIENT, StepCode.DELEGATE_RIGHT
_SCOPE, _CLAIM = StepCode.APPROVE_SCOPE, StepCode.APPROVE_CLAIM
_DONE, _CURRENT, _WAITING = StepStatus.DONE, StepStatus.CURRENT, StepStatus.WAITING
_BLOCKED, _FAILED = StepStatus.BLOCKED, StepStatus.FAILED
_USER, _MANAGER, _SUPPLIER = Actor.END_USER, Actor.ACCESS_MANAGER, Actor.SUPPLIER
_OWNER, _ALTINN, _PLATFORM = Actor.API_OWNER, Actor.ALTINN, Actor.PLATFORM
_holds_up, _beside = True, False

TABLE: Mapping[tuple[StepCode, StrEnum], Shape] = {
    (_CONFIRM, Confirmation.NOT_OPENED): Shape(_CURRENT, _holds_up, _USER),
    (_CONFIRM, Confirmation.OPENED): Shape(_CURRENT, _holds_up, _USER),
    (_CONFIRM, Confirmation.LOGIN_FAILED): Shape(_CURRENT, _holds_up, _USER),
    (_CONFIRM, Confirmation.LACKS_RIGHT): Shape(_CURRENT, _holds_up, _USER),
    (_CONFIRM, Confirmation.PASSED_ON): Shape(_CURRENT, _holds_up, _MANAGER),
    (_CONFIRM, Confirmation.LAPSED): Shape(_CURRENT, _holds_up, _USER),
    (_CONFIRM, Confirmation.VERIFYING_RIGHT): Shape(_WAITING, _holds_up, _PLATFORM),
    (_CONFIRM, Confirmation.CONFIRMED): Shape(_DONE, _holds_up, _USER),
    (_CONFIRM, Confirmation.DECLINED): Shape(_FAILED, _holds_up, _USER),
    (_CONFIRM, Confirmation.EXPIRED): Shape(_FAILED, _holds_up, _USER),
    (StepCode.ACTIVATE_CLIENT, Known.UNCONFIRMED): Shape(_BLOCKED, _holds_up, _SUPPLIER),
    (StepCode.ACTIVATE_CLIENT, Known.NOT_ACTIVATED): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (StepCode.ACTIVATE_CLIENT, Known.ACTIVATED): Shape(_DONE, _holds_up, _SUPPLIER),
    (StepCode.REPLACE_KEYS, Known.KEY_SEEN_LATELY): Shape(_WAITING, _holds_up, _PLATFORM),
    (StepCode.REPLACE_KEYS, Known.KEYS_SAID_LOST): Shape(_CURRENT, _beside, _SUPPLIER),
    (StepCode.UNBLOCK_CLIENT, Known.CLIENT_BLOCKED): Shape(_WAITING, _holds_up, _PLATFORM),
    (StepCode.REPLACE_CLIENT, Known.CLIENT_CLOSED): Shape(_FAILED, _holds_up, _SUPPLIER),
    (_DELEGATE, Known.UNCONFIRMED): Shape(_BLOCKED, _holds_up, _MANAGER),
    (_DELEGATE, State.BLOCKED_ORGANIZATION): Shape(_BLOCKED, _holds_up, _SUPPLIER),
    (_DELEGATE, State.UNKNOWN): Shape(_WAITING, _holds_up, _PLATFORM),
    (_DELEGATE, State.MISSING): Shape(_CURRENT, _holds_up, _MANAGER),
    (_DELEGATE, State.REQUEST_DRAFT): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (_DELEGATE, State.REQUEST_PENDING): Shape(_CURRENT, _holds_up, _MANAGER),
    (_DELEGATE, State.REQUEST_REJECTED): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (_DELEGATE, State.REQUEST_WITHDRAWN): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (_DELEGATE, State.REQUEST_EXPIRED): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (_DELEGATE, State.APPROVED_PROPAGATING): Shape(_WAITING, _holds_up, _ALTINN),
    (_DELEGATE, State.ACTIVE): Shape(_DONE, _holds_up, _MANAGER),
    (_DELEGATE, State.SUSPECT): Shape(_WAITING, _beside, _PLATFORM),
    (_DELEGATE, State.REVOKED): Shape(_CURRENT, _holds_up, _MANAGER),
    (_DELEGATE, State.REVOKED_SOURCE): Shape(_BLOCKED, _holds_up, _USER),
    (_SCOPE, Known.UNCONFIRMED): Shape(_BLOCKED, _holds_up, _OWNER),
    (_SCOPE, Approval.API_PENDING): Shape(_WAITING, _holds_up, _OWNER),
    (_SCOPE, Approval.SCOPE_PENDING): Shape(_WAITING, _holds_up, _OWNER),
    (_SCOPE, Approval.GRANTED): Shape(_DONE, _holds_up, _OWNER),
    (_SCOPE, Approval.API_REJECTED): Shape(_FAILED, _beside, _OWNER),
    (_SCOPE, Approval.API_REVOKED): Shape(_FAILED, _beside, _OWNER),
    (_SCOPE, Approval.SCOPE_REJECTED): Shape(_FAILED, _beside, _OWNER),
    (_SCOPE, Approval.SCOPE_REVOKED): Shape(_FAILED, _beside, _OWNER),
    (_CLAIM, Known.UNCONFIRMED): Shape(_BLOCKED, _holds_up, _OWNER),
    (_CLAIM, Approval.FIRST_VALUE_PENDING): Shape(_WAITING, _holds_up, _OWNER),
    (_CLAIM, Approval.CHANGED_VALUE_PENDING): Shape(_WAITING, _beside, _OWNER),
    (_CLAIM, Approval.GRANTED): Shape(_DONE, _holds_up, _OWNER),
    (_CLAIM, Approval.VALUE_REFUSED): Shape(_FAILED, _beside, _OWNER),
    (StepCode.PUBLISH_CLIENT, Known.UNCONFIRMED): Shape(_BLOCKED, _holds_up, _PLATFORM),
    (StepCode.PUBLISH_CLIENT, Known.ISSUER_LAGS): Shape(_WAITING, _holds_up, _PLATFORM),
    (StepCode.PUBLISH_CLIENT, Known.ISSUER_KNOWS): Shape(_DONE, _holds_up, _PLATFORM),
    (StepCode.RENEW_KEY, Known.KEY_IN_WINDOW): Shape(_CURRENT, _beside, _SUPPLIER),
    (StepCode.RENEW_KEY, Known.KEY_LEAKED): Shape(_CURRENT, _holds_up, _SUPPLIER),
    (StepCode.RENEW_KEY, Known.NO_KEY): Shape(_CURRENT, _holds_up, _SUPPLIER),
}

# What a refusal of the owner's leaves out: the onboarding goes on without it.
REFUSED = frozenset(
    {
        Approval.API_REJECTED,
        Approval.API_REVOKED,
        Approval.SCOPE_REJECTED,
        Approval.SCOPE_REVOKED,
    }
)


class Step(Struct, frozen=True, kw_only=True):
    """A step before it is put into words."""

    code: StepCode
    about: str = ""
    """What tells it from others of its code: a right, a scope, a claim, a key."""
    shape: Shape
    known: StrEnum
    reason_code: str | None
    """Why it is not done; None once it is."""
    reason_detail: str | None = None
    """More of that, for programs."""
    words: str | None = None
    """An owner's own, in his own language."""
    giver: str | None = None
    """Of a right: the organization that gives it."""
    affects: Sequence[str] = ()
    action_url: str | None = None
    action_expires_at: datetime | None = None
    since: datetime
    completed_at: datetime | None = None
    checked_at: datetime | None = None
    stale: bool = False

    @property
    def id(self) -> str:
        """The same for as long as there is the step."""
        parts = (self.code.value, self.about, self.giver or "")
        return ".".join(part for part in parts if part)

    @property
    def is_open(self) -> bool:
        return self.shape.status not in (StepStatus.DONE, StepStatus.FAILED)

    @property
    def holds_up(self) -> bool:
        return self.is_open and self.shape.blocking


def shape_of(code: StepCode, known: StrEnum) -> Shape:
    return TABLE[code, known]


def step(code: StepCode, known: StrEnum, *, since: datetime, **more: Any) -> Step:
    shape = shape_of(code, known)
    done = shape.status is StepStatus.DONE
    more.setdefault("reason_code", None if done else known.value)
    more.setdefault("completed_at", since if done else None)
    return Step(code=code, known=known, shape=shape, since=since, **more)


def outcome_of(steps: Sequence[Step], usable: Collection[str]) -> Outcome:
    """A step that fails and holds up ends it; one that fails beside only leaves something out."""
    if any(step.shape.status is StepStatus.FAILED and step.shape.blocking for step in steps):
        return Outcome.FAILED
    if any(step.holds_up for step in steps):
        return Outcome.PENDING
    return Outcome.READY if usable else Outcome.FAILED


# In one word, by the first step that holds up or has ended it.
STATES: Mapping[StepCode, str] = {
    StepCode.CONFIRM_CLIENT: "waitingForConfirmation",
    StepCode.ACTIVATE_CLIENT: "waitingForActivation",
    StepCode.REPLACE_KEYS: "waitingForKey",
    StepCode.UNBLOCK_CLIENT: "blocked",
    StepCode.REPLACE_CLIENT: "closed",
    StepCode.DELEGATE_RIGHT: "waitingForDelegation",
    StepCode.APPROVE_SCOPE: "waitingForApproval",
    StepCode.APPROVE_CLAIM: "waitingForApproval",
    StepCode.PUBLISH_CLIENT: "activating",
    StepCode.RENEW_KEY: "waitingForKey",
}
CONFIRMATION_STATES: Mapping[StrEnum, str] = {
    Confirmation.VERIFYING_RIGHT: "verifyingRight",
    Confirmation.DECLINED: "rejected",
    Confirmation.EXPIRED: "expired",
}
READY, REJECTED = "ready", "rejected"


def state_of(steps: Sequence[Step], outcome: Outcome) -> str:
    if outcome is Outcome.READY:
        return READY
    for step in steps:
        over = step.shape.status is StepStatus.FAILED and step.shape.blocking
        if step.holds_up or over:
            return CONFIRMATION_STATES.get(step.known) or STATES[step.code]
    return REJECTED  # the owners have refused all there was


# How soon it is worth asking again, by the quickest of the open steps.
PACE: Mapping[StepCode, timedelta] = {
    StepCode.CONFIRM_CLIENT: timedelta(seconds=5),
    StepCode.ACTIVATE_CLIENT: timedelta(seconds=5),
    StepCode.REPLACE_KEYS: timedelta(minutes=5),
    StepCode.UNBLOCK_CLIENT: timedelta(minutes=5),
    StepCode.DELEGATE_RIGHT: timedelta(seconds=5),
    StepCode.APPROVE_SCOPE: timedelta(minutes=1),
    StepCode.APPROVE_CLAIM: timedelta(minutes=1),
    StepCode.PUBLISH_CLIENT: timedelta(seconds=1),
    StepCode.RENEW_KEY: timedelta(minutes=5),
}
NOTHING_OPEN = timedelta(hours=1)


def poll_after(steps: Sequence[Step], scale: float = 1.0) -> int:
    """In whole seconds of the reader's own clock: where waits are divided, so is the pace."""
    open_steps = [step for step in steps if step.is_open]
    moving = [step for step in open_steps if step.shape.status is not StepStatus.BLOCKED]
    paces = [PACE[step.code] for step in moving]
    return max(1, int(min(paces, default=NOTHING_OPEN).total_seconds() / scale))


READABLE_AFTER_END = timedelta(days=30)


def ended_at(steps: Sequence[Step], outcome: Outcome) -> datetime | None:
    """When nothing was left to do. None while something is."""
    if outcome is Outcome.PENDING:
        return None
    return max((step.completed_at or step.since for step in steps), default=None)
