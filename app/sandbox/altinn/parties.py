"""Parties: organisations and persons, under the several names that Altinn has for each."""

import re
from collections.abc import Callable, Iterable
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from app.sandbox.enhetsregisteret.organizations import Organization
from app.sandbox.people import Person

ORGANIZATION = "urn:altinn:organization:identifier-no"
OLD_ORGANIZATION = "urn:altinn:organizationnumber"
PERSON = "urn:altinn:person:identifier-no"
PARTY_UUID = "urn:altinn:party:uuid"
PARTY_ID = "urn:altinn:partyid"
ORGANIZATION_UUID = "urn:altinn:organization:uuid"
PERSON_UUID = "urn:altinn:person:uuid"
USER_ID = "urn:altinn:userid"
SYSTEM_USER = "urn:altinn:systemuser:uuid"

ORGANIZATION_NUMBER = re.compile(r"[0-9]{9}", re.ASCII)
PERSON_NUMBER = re.compile(r"[0-9]{11}", re.ASCII)


class Party(Struct, frozen=True, kw_only=True):
    identifier: str
    """Organisation number, or a person's identity number."""
    name: str
    organization: Organization | None = None
    person: Person | None = None

    @property
    def uuid(self) -> str:
        return str(uuid5(NAMESPACE_URL, f"sandbox:party:{self.identifier}"))

    @property
    def party_id(self) -> int:
        return 50_000_000 + int(self.identifier) % 10_000_000


class Parties:
    def __init__(
        self, find: Callable[[str], Organization | None], people: Iterable[Person]
    ) -> None:
        self._find = find
        self._by_key: dict[str, Party] = {}
        for person in people:
            self._remember(Party(identifier=person.pid, name=person.name, person=person))

    def organization(self, number: str) -> Party | None:
        organization = self._find(number)
        return self.of(organization) if organization and organization.is_served else None

    def of(self, organization: Organization) -> Party:
        party = Party(
            identifier=organization.number, name=organization.name, organization=organization
        )
        return self._remember(party)

    def person(self, pid: str) -> Party | None:
        return self._by_key.get(f"{PERSON}={pid}")

    def identified(self, identifier: str) -> Party | None:
        """By organisation number or identity number."""
        return self.person(identifier) or self.organization(identifier)

    def named(self, urn: str, value: str) -> Party | None:
        """By one of the names above. Party keys are known only once we have told somebody."""
        if urn in (ORGANIZATION, OLD_ORGANIZATION):
            return self.organization(value)
        party = self._by_key.get(f"{urn}={value}")
        return self.organization(party.identifier) if party and party.organization else party

    def known_organizations(self) -> list[str]:
        return [party.identifier for party in set(self._by_key.values()) if party.organization]

    def _remember(self, party: Party) -> Party:
        kind = ORGANIZATION_UUID if party.organization else PERSON_UUID
        for urn in (PARTY_UUID, kind):
            self._by_key[f"{urn}={party.uuid}"] = party
        self._by_key[f"{PARTY_ID}={party.party_id}"] = party
        if party.person:
            self._by_key[f"{PERSON}={party.identifier}"] = party
        return party
