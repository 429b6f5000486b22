"""GET maskinporten/delegations: which organisations have given which scopes to which."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from litestar import get
from litestar.di import NamedDependency

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.callers import AltinnRequest, Caller, demand_either_token
from app.sandbox.altinn.delegations import Change, Delegation
from app.sandbox.altinn.numbers import CONTRADICTING, LONG_AGO, OUT_OF_ORDER, SUPPLIERS
from app.sandbox.altinn.parties import ORGANIZATION_NUMBER
from app.sandbox.altinn.problems import FrameworkProblem, invalid_number
from app.sandbox.altinn.resources import RESOURCES, Kind, Resource
from app.sandbox.enhetsregisteret.organizations import SERIES, has_valid_check_digit
from app.sandbox.faults import special_fault

SCOPE = "altinn:maskinporten/delegations"
ADMIN_SCOPE = "altinn:maskinporten/delegations.admin"


@get("/accessmanagement/api/v1/maskinporten/delegations/")
async def maskinporten_delegations(
    request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> list[dict[str, Any]]:
    caller = demand_either_token(request, altinn, SCOPE, ADMIN_SCOPE)
    supplier, consumer, scope = (
        request.query_params.get(name) or None for name in ("supplierOrg", "consumerOrg", "scope")
    )
    _check_scope(caller, scope)
    if not (supplier or consumer or scope):
        title = "One of supplierOrg, consumerOrg and scope must be given"
        raise FrameworkProblem(400, title)
    numbers = {"supplierOrg": supplier, "consumerOrg": consumer}
    for parameter, number in numbers.items():
        _check_number(parameter, number)
    for parameter, number in numbers.items():
        _check_party(altinn, parameter, number)
    inverted = special_fault(request.scope) == "contradiction"
    return [
        row
        for delegation in _candidates(altinn, supplier, consumer, scope)
        if (row := _row(altinn, delegation, inverted=inverted)) is not None
    ]


def _check_scope(caller: Caller, scope: str | None) -> None:
    if ADMIN_SCOPE in caller.scopes:
        return
    if scope is None:
        title = "Not authorized for lookup of delegations without the scope parameter"
        raise FrameworkProblem(403, title)
    if not any(scope.startswith(f"{prefix}:") for prefix in caller.prefixes):
        title = f"Not authorized for lookup of delegations for the scope: {scope}"
        raise FrameworkProblem(403, title)


def _check_number(parameter: str, number: str | None) -> None:
    if number is None:
        return
    if not ORGANIZATION_NUMBER.fullmatch(number) or not has_valid_check_digit(number):
        raise invalid_number(parameter, f"{parameter} is not a valid organization number")


def _check_party(altinn: Altinn, parameter: str, number: str | None) -> None:
    if number is not None and altinn.parties.organization(number) is None:
        message = "is not a valid organization number or not associated with a valid party"
        raise invalid_number(parameter, f"{number} {message}")


def _candidates(
    altinn: Altinn, supplier: str | None, consumer: str | None, scope: str | None
) -> Iterator[Delegation]:
    consumers = [consumer] if consumer else _possible_consumers(altinn)
    suppliers = [supplier] if supplier else _possible_suppliers(altinn)
    for resource in RESOURCES.values():
        if _offers(resource, scope):
            for giver in consumers:
                for receiver in suppliers:
                    yield Delegation(giver, receiver, resource.identifier)


def _possible_consumers(altinn: Altinn) -> list[str]:
    """Those of the whole series that have a name, or that somebody has asked about."""
    named = [one.number for one in altinn.register.all_named()]
    numbers = {*named, *altinn.parties.known_organizations()} - {OUT_OF_ORDER}
    return sorted(number for number in numbers if SERIES[0] <= number <= SERIES[1])


def _possible_suppliers(altinn: Altinn) -> list[str]:
    known = {one.receiver for one in altinn.delegations.known() if not one.is_to_person}
    return sorted(known | set(SUPPLIERS))


def _offers(resource: Resource, scope: str | None) -> bool:
    if resource.kind is not Kind.MASKINPORTEN_SCHEMA:
        return False
    return scope is None or scope in resource.scopes


def _row(altinn: Altinn, delegation: Delegation, *, inverted: bool) -> dict[str, Any] | None:
    giver = altinn.register.find(delegation.giver)
    if giver is None or not giver.is_served or giver.is_deleted:
        return None
    change = altinn.seen_by("maskinporten_delegations", delegation)
    held = change is not None and change.held
    if held == (inverted or delegation.giver == CONTRADICTING):
        return None
    return {
        "consumer_org": delegation.giver,
        "supplier_org": delegation.receiver,
        "delegation_scheme_Id": _scheme(delegation),
        "scopes": list(RESOURCES[delegation.resource].scopes),
        "created": _created(delegation, change),
        "resourceid": delegation.resource,
    }


def _scheme(delegation: Delegation) -> str | None:
    """Only what was moved over from the older Altinn has one: about half."""
    from_before = _digest(delegation)[0] % 2 == 0
    return str(uuid5(NAMESPACE_URL, f"scheme:{delegation.resource}")) if from_before else None


def _created(delegation: Delegation, change: Change | None) -> str | None:
    if change is None or (change.made == LONG_AGO and _digest(delegation)[1] % 4 == 0):
        return None
    return change.made.isoformat(timespec="milliseconds")


def _digest(delegation: Delegation) -> bytes:
    return sha256(f"{delegation.giver}{delegation.receiver}".encode()).digest()
