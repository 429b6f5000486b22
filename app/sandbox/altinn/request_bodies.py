"""What asks for a right, checked as Altinn checks it, and what is answered."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.parties import (
    ORGANIZATION,
    ORGANIZATION_NUMBER,
    PERSON,
    PERSON_NUMBER,
    Party,
)
from app.sandbox.altinn.problems import AltinnProblem, FieldProblem, invalid
from app.sandbox.altinn.requests import DelegationRequest
from app.sandbox.altinn.resources import OWNER, RESOURCES, Kind, Resource

REQUESTS = "/accessmanagement/api/v1/serviceowner/delegationrequests"
FORMS = {ORGANIZATION: ORGANIZATION_NUMBER, PERSON: PERSON_NUMBER}


class ResourceBody(Struct, frozen=True, rename={"giver": "to", "receiver": "from"}):
    """`POST /resource`: `from` is who wants, `to` is who must give."""

    receiver: str
    giver: str
    resource: str


class ThingBody(Struct, frozen=True, rename="camel"):
    id: str | None = None
    reference_id: str | None = None


class EitherBody(Struct, frozen=True, rename={"giver": "from", "receiver": "to"}):
    """`POST /`: the other way round."""

    giver: str
    receiver: str
    resource: ThingBody | None = None
    package: ThingBody | None = None


def read_resource_body(altinn: Altinn, content: bytes) -> Delegation:
    try:
        body = msgspec.json.decode(content, type=ResourceBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from error
    return _wanted(altinn, giver=("/to", body.giver), receiver=("/from", body.receiver)).of(
        body.resource
    )


def read_either_body(altinn: Altinn, content: bytes) -> Delegation:
    try:
        body = msgspec.json.decode(content, type=EitherBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from error
    parties = _wanted(altinn, giver=("/from", body.giver), receiver=("/to", body.receiver))
    if body.resource and body.package:
        raise invalid(FieldProblem("AM.VLD-00046", "Both resource and package are given", "/"))
    if body.package:
        raise package_unknown("/package")
    if body.resource is None:
        raise invalid(FieldProblem("AM.VLD-00038", "Neither resource nor package is given", "/"))
    return parties.of(body.resource.reference_id or _identifier_of(body.resource.id))


def package_unknown(path: str) -> AltinnProblem:
    return invalid(FieldProblem("AMSO.VLD-00004", "Package not found", path))


class _Parties(Struct, frozen=True):
    giver: Party
    receiver: Party

    def of(self, identifier: str) -> Delegation:
        resource = RESOURCES.get(identifier)
        if resource is None:
            raise invalid(FieldProblem("AMSO.VLD-00003", "Resource not found", "/resource"))
        if resource.owner != OWNER:
            raise invalid(FieldProblem("AMSO.VLD-00006", "Resource is not yours", "/resource"))
        if self.giver == self.receiver:
            raise invalid(FieldProblem("AM.VLD-00045", "From equals to", "/from"))
        if resource.kind is Kind.MASKINPORTEN_SCHEMA:
            title = "Resource is not delegable"
            raise invalid(FieldProblem("AM.VLD-00049", title, "/resource"))
        return Delegation(self.giver.identifier, self.receiver.identifier, resource.identifier)


def _wanted(altinn: Altinn, *, giver: tuple[str, str], receiver: tuple[str, str]) -> _Parties:
    """Each is the member's path and what stands there. All that is wrong comes together."""
    in_order = sorted((giver, receiver))
    not_urns = [
        FieldProblem("AMSO.VLD-00001", "Invalid URN", path, _detail(path, urn))
        for path, urn in in_order
        if not _is_urn(urn)
    ]
    if not_urns:
        raise invalid(*not_urns)
    found = {path: _party(altinn, urn) for path, urn in in_order}
    missing = [path for path, party in found.items() if party is None]
    if missing:
        raise invalid(
            *(FieldProblem("AMSO.VLD-00002", "Party not found", path) for path in missing)
        )
    parties = {path: party for path, party in found.items() if party is not None}
    return _Parties(parties[giver[0]], parties[receiver[0]])


def _detail(path: str, urn: str) -> dict[str, str]:
    return {path.removeprefix("/"): f"Urn {urn} is not valid"}


def _is_urn(urn: str) -> bool:
    name, _, value = urn.rpartition(":")
    return name in FORMS and FORMS[name].fullmatch(value) is not None


def _party(altinn: Altinn, urn: str) -> Party | None:
    name, _, value = urn.rpartition(":")
    return altinn.parties.named(name, value)


def _unreadable(error: Exception) -> AltinnProblem:
    return invalid(FieldProblem("STD.VLD-00001", str(error), "/"))


def _resource_id(resource: Resource) -> str:
    return str(uuid5(NAMESPACE_URL, f"sandbox:resource:{resource.identifier}"))


def _identifier_of(resource_id: str | None) -> str:
    found = (one for one, resource in RESOURCES.items() if _resource_id(resource) == resource_id)
    return next(found, "")


def request_body(altinn: Altinn, request: DelegationRequest) -> dict[str, Any]:
    """`from` is who wants, whichever way it was asked."""
    wanted = request.wanted
    resource = RESOURCES[wanted.resource]
    details = f"{altinn.pages_url}/requests/resource?requestId={request.identifier}"
    return {
        "id": request.identifier,
        "status": request.status.value,
        "type": "resource",
        "lastUpdated": request.updated.isoformat(timespec="seconds"),
        "lastUpdatedBy": request.updated_by,
        "resource": {"id": _resource_id(resource), "referenceId": resource.identifier},
        "package": None,
        "links": {
            "detailsLink": details,
            "statusLink": f"{altinn.url}{REQUESTS}/{request.identifier}/status",
        },
        "from": _party_body(altinn, wanted.receiver),
        "to": _party_body(altinn, wanted.giver),
        "by": _party_body(altinn, request.creator),
    }


def _party_body(altinn: Altinn, identifier: str) -> dict[str, Any] | None:
    party = altinn.parties.identified(identifier)
    if party is None:
        return None
    organization = party.organization
    return {
        "id": party.uuid,
        "name": party.name,
        "type": "Organisasjon" if organization else "Person",
        "variant": organization.form if organization else "Person",
        "organizationIdentifier": identifier if organization else None,
        "personIdentifier": None if organization else identifier,
    }
