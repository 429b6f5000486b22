"""What a person presses about a request, at Altinn's pages or by the controls."""

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.requests import DelegationRequest, Status


class ApprovalFailed(Exception):
    """Altinn's check of what the giver can give failed; the request waits as before."""


def confirm(altinn: Altinn, identifier: str, by: str) -> DelegationRequest:
    return _move(altinn, identifier, Status.PENDING, by)


def approve(altinn: Altinn, identifier: str, by: str) -> DelegationRequest:
    request = altinn.requests.find(identifier)
    altinn.requests.check(request, Status.APPROVED)
    giver = altinn.register.find(request.wanted.giver)
    if altinn.settings.approval_fails or giver is None or giver.is_deleted:
        raise ApprovalFailed(identifier)
    altinn.give(request.wanted)
    return _move(altinn, identifier, Status.APPROVED, by)


def reject(altinn: Altinn, identifier: str, by: str) -> DelegationRequest:
    return _move(altinn, identifier, Status.REJECTED, by)


STEPS = {"confirm": confirm, "approve": approve, "reject": reject}


def _move(altinn: Altinn, identifier: str, status: Status, by: str) -> DelegationRequest:
    return altinn.requests.move(identifier, status, by=by, now=altinn.clock.now())
