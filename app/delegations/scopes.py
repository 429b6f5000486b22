"""What rights in Altinn mean for a client's scopes."""

import msgspec
from msgspec import Struct

from app.apis.catalogue import Catalogue, ClientSystem, Tenancy, Texts
from app.approvals.rules import ReasonCode
from app.clients.models import ClientConfiguration
from app.delegations.reasons import delegation_reason, named
from app.delegations.rules import USABLE, State, reason_code


class RightSeen(Struct, frozen=True, array_like=True):
    """One record, as `rights_of_client` tells it."""

    right: str
    giver: str
    receiver: str
    state: State
    not_seen_after_approval: bool
    may_be_hurried: bool
    """Nobody is known to wait for it, and asking sooner might help."""


class Holder(Struct, frozen=True):
    """Whose rights they are: a client's organization, and how it acts."""

    tenancy: str
    organization_number: str
    organization_name: str


def rights_seen(text: str | None) -> list[RightSeen]:
    return msgspec.json.decode(text, type=list[RightSeen]) if text else []


def needs_no_right(holder_number: str, tenancy: str, system: ClientSystem) -> bool:
    """A client of many acts for each by itself; nobody has to give himself anything."""
    is_own = holder_number == system.supplier_organization_number
    return is_own or tenancy != Tenancy.SINGLE


def in_the_way(
    right: str | None,
    holder: Holder,
    system: ClientSystem,
    catalogue: Catalogue,
    seen: list[RightSeen],
) -> tuple[ReasonCode, Texts] | None:
    """Why a scope that needs `right` cannot be used, or None. What is not recorded is unknown."""
    if right is None or needs_no_right(holder.organization_number, holder.tenancy, system):
        return None
    found = next((entry for entry in seen if entry.right == right), None)
    state = found.state if found else State.UNKNOWN
    if state in USABLE:
        return None
    flagged = found is not None and found.not_seen_after_approval
    code = reason_code(state, not_seen_after_approval=flagged)
    assert code is not None  # only what is usable has none
    return code, delegation_reason(
        code,
        right=title_of(right, catalogue),
        giver=named(holder.organization_name, holder.organization_number),
        receiver=named(system.supplier_name, system.supplier_organization_number),
    )


def title_of(right: str, catalogue: Catalogue) -> Texts:
    """A right that has left the catalogue still has its name."""
    known = catalogue.right_named.get(right)
    return known.title if known else Texts(nb=right, nn=right, en=right)


def usable_scopes(
    scopes: list[str],
    client: ClientConfiguration,
    system: ClientSystem,
    states: dict[tuple[str, str], State],
) -> list[str]:
    """Those of `scopes` that no right stands in the way of."""
    if needs_no_right(client.organization_number, client.tenancy, system):
        return scopes
    right_of, giver = system.right_of_scope, client.organization_number

    def is_usable(scope: str) -> bool:
        right = right_of.get(scope)
        return right is None or states.get((right, giver), State.UNKNOWN) in USABLE

    return [scope for scope in scopes if is_usable(scope)]


def lets_act(
    giver: str, system: ClientSystem, scopes: list[str], states: dict[tuple[str, str], State]
) -> bool:
    """Whether a client of many may act for one of them: it has given each right that is needed."""
    if giver == system.supplier_organization_number:
        return True
    right_of = system.right_of_scope
    rights = {right_of[scope] for scope in scopes if scope in right_of}
    return all(states.get((right, giver), State.UNKNOWN) in USABLE for right in rights)
