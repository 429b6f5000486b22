"""A record as its client sees it."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import UNSET, Struct

from app.apis.catalogue import Catalogue, ClientSystem, Tenancy, Texts
from app.clients.models import ClientConfiguration
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.reasons import STEPS, delegation_reason, filled, named
from app.delegations.rules import AWAITING, HAS_LINK, OPEN_REQUEST, State, reason_code
from app.delegations.scopes import title_of
from app.delegations.wire import DelegationAnswer, DelegationRequestAnswer
from app.organizations.register import Mark

# A check that is so late was not made: nobody is asking.
LATE = timedelta(minutes=10)


class Frame(Struct, frozen=True):
    """What is the same for all records of a client."""

    client: ClientConfiguration
    system: ClientSystem
    catalogue: Catalogue
    pages_url: str | None
    """Altinn's pages, where there is an Altinn."""
    now: datetime

    def giver_name(self, number: str) -> str | None:
        if self.client.tenancy == Tenancy.SINGLE:
            return self.client.organization_name
        return _declared_name(self.catalogue, self.client.client_id, number)


def _declared_name(catalogue: Catalogue, client_id: UUID, number: str) -> str | None:
    declared = catalogue.declared_clients.get(client_id)
    entries = declared.delegations if declared else []
    names = {entry.delegator.organization_number: entry.delegator.name for entry in entries}
    return names.get(number)


def delegation_answer(
    delegation: Delegation, poll: DelegationPoll, giver_mark: Mark | None, frame: Frame
) -> DelegationAnswer:
    state = delegation.state
    code = reason_code(state, not_seen_after_approval=delegation.not_seen_after_approval)
    right = title_of(delegation.right, frame.catalogue)
    giver, receiver = _parties(delegation, frame)
    return DelegationAnswer(
        id=delegation.id,
        right=delegation.right,
        right_name=right,
        giver=delegation.giver,
        giver_name=frame.giver_name(delegation.giver),
        giver_mark=giver_mark,
        receiver=delegation.receiver,
        receiver_name=frame.system.supplier_name,
        state=state,
        awaiting=AWAITING[state],
        reason_code=code,
        reason=(
            delegation_reason(code, right=right, giver=giver, receiver=receiver) if code else UNSET
        ),
        source=poll.source,
        since=delegation.since,
        checked_at=poll.checked_at,
        next_check_at=poll.due_at,
        stale=is_stale(poll, frame.now),
        action_url=_action_url(delegation, frame.pages_url),
        request_id=delegation.request_id if state != State.NOT_REQUIRED else None,
    )


def _parties(delegation: Delegation, frame: Frame) -> tuple[str, str]:
    giver = named(frame.giver_name(delegation.giver), delegation.giver)
    return giver, named(frame.system.supplier_name, delegation.receiver)


def is_stale(poll: DelegationPoll, now: datetime) -> bool:
    return poll.failures > 0 or (poll.due_at is not None and now - poll.due_at > LATE)


def _action_url(delegation: Delegation, pages_url: str | None) -> str | None:
    """None where nobody need press anything, or nobody whom the wizard's user can reach."""
    if delegation.state not in HAS_LINK:
        return None
    asked = delegation.request_link if delegation.state in OPEN_REQUEST else None
    return asked or pages_url


def request_answer(delegation: Delegation, frame: Frame) -> DelegationRequestAnswer:
    """The request's own link, or where there is none a plain one and the steps in words."""
    if delegation.state in OPEN_REQUEST and delegation.request_link is not None:
        return DelegationRequestAnswer(
            requested=True,
            request_id=delegation.request_id,
            action_url=delegation.request_link,
        )
    giver, receiver = _parties(delegation, frame)
    right: Texts = title_of(delegation.right, frame.catalogue)
    return DelegationRequestAnswer(
        requested=False,
        request_id=None,
        action_url=frame.pages_url,
        steps=filled(STEPS, right=right, giver=giver, receiver=receiver),
    )
