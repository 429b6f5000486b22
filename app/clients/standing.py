"""Whether a client that has shown who it is may do anything now.

A token outlives what happens to its client: a block, or the end of the key that signs the
proofs, holds from the moment it is committed.
"""

from http import HTTPStatus

from app.access.dpop import ProofRejected
from app.clients.rules import ClientStatus
from app.problems import Problem


class ClientBlocked(Problem):
    slug = "client-blocked"
    title = "The client has been blocked"
    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "This client is blocked or closed. Its owner, or the supplier of the system, can "
            "ask the operator of this service why."
        )


class ClientUnknown(Problem):
    slug = "client-unknown"
    title = "There is no such client here"
    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The access token's client was not made by this service.")


def check_standing(status: str | None, *, key_has_ended: bool) -> None:
    """`status` is None for a client that this service does not know."""
    if status is None:
        raise ClientUnknown
    if status != ClientStatus.ACTIVE:
        raise ClientBlocked
    if key_has_ended:
        raise ProofRejected("The key of this proof is retired, revoked or expired: use another.")
