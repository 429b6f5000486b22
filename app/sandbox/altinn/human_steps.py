"""What a person presses about a request, at Altinn's pages or by the controls."""

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.requests import DelegationRequest, Status
from app.sandbox.altinn.resources import RESOURCES, TAKE_INTO_USE
from app.sandbox.neighbours import Seed


class NotNamed(Exception):
    """A word for a party or a right means nothing. The text is for who wrote it."""


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


def give_seeded(altinn: Altinn, seed: Seed) -> None:
    """What a seed file says was given before anybody looked."""
    for grant in seed.grants:
        altinn.give(named_delegation(altinn, grant.giver, grant.to, grant.right))
    for person in seed.persons:
        for number in person.may_set_up_clients_for:
            right = TAKE_INTO_USE.identifier
            altinn.give(named_delegation(altinn, number, person.name, right))


def named_delegation(altinn: Altinn, giver: str, to: str, right: str) -> Delegation:
    """`giver` is an organisation number; `to` may also be a test person's name."""
    person = altinn.people.named(to)
    receiver = altinn.parties.person(person.pid) if person else altinn.parties.organization(to)
    if altinn.parties.organization(giver) is None:
        raise NotNamed(f"Altinn kjenner ingen virksomhet {giver!r}.")
    if receiver is None:
        raise NotNamed(f"Altinn kjenner ingen {to!r}.")
    if right not in RESOURCES:
        raise NotNamed(f"Rettighetene er {', '.join(RESOURCES)}; ikke {right!r}.")
    return Delegation(giver, receiver.identifier, right)
