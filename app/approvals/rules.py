"""The life of an access, and what comes of it for a scope and for a claim."""

from enum import StrEnum

from app.state_machine import Transitions


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
