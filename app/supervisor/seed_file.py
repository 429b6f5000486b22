"""What a supplier adds to the sandbox's own data: read, and refused with the place of each fault.

What belongs to the catalogue is judged by the service, as a catalogue file is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from app.problems import InvalidRequest
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.enhetsregisteret.organizations import (
    FORMS,
    find_organization,
    has_valid_check_digit,
)
from app.sandbox.people import FIXED, AddedPerson, People
from app.supervisor.failure import SandboxFailed
from app.web.bodies import body_of
from app.web.json_text import read_json

# As the service has it for test environments.
NUMBER = re.compile(r"[23][0-9]{8}", re.ASCII)
Entry = TypeVar("Entry")


class SeededOrganization(Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    form: str = "AS"
    standing: Literal[
        "live", "bankrupt", "beingWoundUp", "deleted", "merged", "removed", "unknown"
    ] = "live"
    parent: str | None = None


class SeededGrant(Struct, frozen=True, rename={"giver": "from"}, forbid_unknown_fields=True):
    giver: str
    to: str
    right: str


class SeedFile(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    organizations: list[SeededOrganization] = []
    persons: list[AddedPerson] = []
    grants: list[SeededGrant] = []
    catalogue: dict[str, list[Any]] = {}
    """Entries to add to the lists of the sandbox's catalogue."""
    api_keys: dict[Annotated[str, Meta(min_length=1)], str] = {}
    """Client systems, by the keys that their installers send."""


def read_seed_file(file: Path | None) -> SeedFile:
    if file is None:
        return SeedFile()
    try:
        document = read_json(file.read_bytes())
    except OSError as error:
        raise SandboxFailed(f"{file}: {error.strerror}.") from error
    except InvalidRequest as refused:
        raise _failure(file, _told(refused)) from None
    try:
        seed, faults = body_of(document, SeedFile), []
    except InvalidRequest as refused:
        seed, faults = SeedFile(), _told(refused)
    if faults := [*faults, *Meaning(document).faults()]:
        raise _failure(file, faults)
    return seed


def _told(refused: InvalidRequest) -> list[str]:
    return [f"{error.pointer}: {error.detail}" for error in refused.errors]


def _failure(file: Path, faults: Iterable[str]) -> SandboxFailed:
    return SandboxFailed("\n".join(f"{file}: {fault}" for fault in faults))


class Meaning:
    """What is said of organizations and persons, as far as the entries can be read."""

    def __init__(self, document: object) -> None:
        self.organizations = _entries(document, "organizations", SeededOrganization)
        self.persons = _entries(document, "persons", AddedPerson)
        self.grants = _entries(document, "grants", SeededGrant)
        self.people = People(one for _, one in self.persons)

    def faults(self) -> Iterator[str]:
        yield from self._of_organizations()
        yield from self._of_persons()
        yield from self._of_grants()

    def _of_organizations(self) -> Iterator[str]:
        seen: set[str] = set()
        for place, one in self.organizations:
            if not NUMBER.fullmatch(one.number) or not has_valid_check_digit(one.number):
                yield (
                    f"{place}/number: {one.number} is no organization number that begins with"
                    " 2 or 3."
                )
            if one.number in seen:
                yield f"{place}/number: {one.number} is there twice."
            seen.add(one.number)
            if one.form not in FORMS:
                yield f"{place}/form: {one.form} is none of {', '.join(FORMS)}."
            if one.parent is not None:
                yield from self._unless_known(one.parent, f"{place}/parent")

    def _of_persons(self) -> Iterator[str]:
        seen = {person.name for person in FIXED}
        for place, one in self.persons:
            if one.name in seen:
                yield f"{place}/name: There is another person named {one.name}."
            seen.add(one.name)
            for index, number in enumerate(one.may_set_up_clients_for):
                yield from self._unless_known(number, f"{place}/maySetUpClientsFor/{index}")
            for index, number in enumerate(one.may_give_rights_for):
                yield from self._unless_known(number, f"{place}/mayGiveRightsFor/{index}")

    def _of_grants(self) -> Iterator[str]:
        for place, grant in self.grants:
            if grant.right not in RESOURCES:
                yield f"{place}/right: {grant.right} is none of {', '.join(RESOURCES)}."
            yield from self._unless_known(grant.giver, f"{place}/from")
            if self.people.named(grant.to) is None and not self._is_known(grant.to):
                yield f"{place}/to: {grant.to} is neither an organization nor a test person."

    def _unless_known(self, number: str, place: str) -> Iterator[str]:
        if not self._is_known(number):
            yield f"{place}: There is no organization {number}."

    def _is_known(self, number: str) -> bool:
        named = [one for _, one in self.organizations if one.number == number]
        if named:
            return any(one.standing not in ("removed", "unknown") for one in named)
        found = find_organization(number)
        return found is not None and found.is_served


def _entries(document: object, name: str, kind: type[Entry]) -> Sequence[tuple[str, Entry]]:
    """With their places; what has another shape is left out, and told of as such."""
    found = document.get(name) if isinstance(document, dict) else None
    entries = []
    for index, value in enumerate(found if isinstance(found, list) else []):
        try:
            entries.append((f"#/{name}/{index}", msgspec.convert(value, kind)))
        except msgspec.ValidationError:
            continue
    return entries
