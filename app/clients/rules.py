"""The life of a client."""

from enum import StrEnum

from app.state_machine import Transitions


class ClientStatus(StrEnum):
    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


class ClientEvent(StrEnum):
    BLOCK = "block"
    UNBLOCK = "unblock"
    CLOSE = "close"


TRANSITIONS: Transitions[ClientStatus, ClientEvent] = {
    (ClientStatus.ACTIVE, ClientEvent.BLOCK): ClientStatus.BLOCKED,
    (ClientStatus.BLOCKED, ClientEvent.UNBLOCK): ClientStatus.ACTIVE,
    (ClientStatus.ACTIVE, ClientEvent.CLOSE): ClientStatus.CLOSED,
    (ClientStatus.BLOCKED, ClientEvent.CLOSE): ClientStatus.CLOSED,
}
