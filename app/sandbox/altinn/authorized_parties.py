"""Whom somebody may act for: the whole list, with sub-units below their main units."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.numbers import OUT_OF_ORDER
from app.sandbox.altinn.parties import Party
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.enhetsregisteret.organizations import Organization
from app.sandbox.people import OLA


class Wanted(Struct, frozen=True, kw_only=True):
    """What the caller wants to hear, and may."""

    owners: frozenset[str]
    """Whose resources are named."""
    any_of: frozenset[str] | None = None
    """Parties with none of these are left out."""
    parties: list[Party] | None = None
    roles: bool = True
    packages: bool = False
    resources: bool = True
    sub_parties: bool = True
    inactive: bool = True


class Row(Struct, frozen=True, kw_only=True):
    party: Party
    organization: Organization
    held: list[str]
    has_access: bool
    sub_units: list["Row"] = []


def authorized_parties(altinn: Altinn, subject: Party, wanted: Wanted) -> list[dict[str, Any]]:
    tops = _tops(altinn, subject, wanted)
    rows = [_with_sub_units(altinn, subject, one, wanted) for one in tops]
    listed = [
        _organization(row, subject, wanted) for row in rows if row.has_access or row.sub_units
    ]
    everybody = wanted.parties is None and wanted.any_of is None
    return [_self(subject), *listed] if subject.person and everybody else listed


def _tops(altinn: Altinn, subject: Party, wanted: Wanted) -> list[Organization]:
    """Main units, in the order of their numbers; a sub-unit brings its main unit."""
    numbers: Iterable[str]
    if wanted.parties is None:
        named = {one.number for one in altinn.register.all_named()}
        numbers = named | set(altinn.parties.known_organizations())
        if subject.organization:
            numbers = numbers - {OUT_OF_ORDER}
    else:
        numbers = {_top_of(one.organization) for one in wanted.parties if one.organization}
    found = [altinn.register.find(number) for number in sorted(numbers)]
    return [
        one
        for one in found
        if one and one.is_served and not one.is_sub_unit and (wanted.inactive or not one.is_deleted)
    ]


def _top_of(organization: Organization) -> str:
    is_below = organization.is_sub_unit and organization.parent is not None
    return str(organization.parent) if is_below else organization.number


def _with_sub_units(
    altinn: Altinn, subject: Party, organization: Organization, wanted: Wanted
) -> Row:
    row = _row(altinn, subject, organization, wanted)
    if not wanted.sub_parties:
        return row
    below = [
        _row(altinn, subject, one, wanted)
        for one in altinn.register.sub_units(organization.number)
        if one.is_served and _is_wanted(one, wanted)
    ]
    return replace(row, sub_units=[one for one in below if one.has_access])


def _is_wanted(sub_unit: Organization, wanted: Wanted) -> bool:
    if sub_unit.is_deleted and not wanted.inactive:
        return False
    numbers = [one.identifier for one in wanted.parties or []]
    return wanted.parties is None or not {sub_unit.number, sub_unit.parent}.isdisjoint(numbers)


def _row(altinn: Altinn, subject: Party, organization: Organization, wanted: Wanted) -> Row:
    held = [
        identifier
        for identifier, resource in RESOURCES.items()
        if resource.owner in wanted.owners
        and (wanted.any_of is None or identifier in wanted.any_of)
        and altinn.was_given(
            "authorized_parties", Delegation(organization.number, subject.identifier, identifier)
        )
    ]
    has_role = bool(_roles(subject, organization)) and wanted.any_of is None
    return Row(
        # By way of the parties, so that the keys we tell of are known when they come back.
        party=altinn.parties.of(organization),
        organization=organization,
        held=held,
        has_access=bool(held) or has_role,
    )


def _roles(subject: Party, organization: Organization) -> list[str]:
    """Short codes. Nothing that a role or a package gives is told again as a resource."""
    if _manages(subject, organization):
        return ["HADM"]
    return ["UTINN"] if subject.person == OLA else []


def _packages(subject: Party, organization: Organization) -> list[str]:
    return ["hovedadministrator"] if _manages(subject, organization) else []


def _manages(subject: Party, organization: Organization) -> bool:
    return subject.person is not None and subject.person.manages_access(organization.number)


def _organization(
    row: Row, subject: Party, wanted: Wanted, parent: Party | None = None
) -> dict[str, Any]:
    heading = not row.has_access
    return _party(row.party) | {
        "organizationNumber": row.organization.number,
        "parentId": parent.uuid if parent else None,
        "type": "Organization",
        "unitType": row.organization.form,
        "isDeleted": row.organization.is_deleted,
        "onlyHierarchyElementWithNoAccess": heading,
        "authorizedAccessPackages": (
            _packages(subject, row.organization) if wanted.packages and not heading else []
        ),
        "authorizedResources": row.held if wanted.resources else [],
        "authorizedRoles": (
            _roles(subject, row.organization) if wanted.roles and not heading else []
        ),
        "subunits": [_organization(one, subject, wanted, row.party) for one in row.sub_units],
    }


def _self(person: Party) -> dict[str, Any]:
    """Whoever has logged in once may act for himself."""
    return _party(person) | {"type": "Person", "personId": person.identifier}


def _party(party: Party) -> dict[str, Any]:
    return {
        "partyUuid": party.uuid,
        "name": party.name,
        "organizationNumber": None,
        "parentId": None,
        "personId": None,
        "dateOfBirth": None,
        "partyId": party.party_id,
        "emailId": None,
        "type": "None",
        "unitType": None,
        "isDeleted": False,
        "onlyHierarchyElementWithNoAccess": False,
        "authorizedAccessPackages": [],
        "authorizedResources": [],
        "authorizedRoles": [],
        "authorizedInstances": [],
        "subunits": [],
    }
