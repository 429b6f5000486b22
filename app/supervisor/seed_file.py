"""What a supplier adds to the sandbox's own data: read, and refused with the place of each fault.

What belongs to the catalogue is judged by the service, as a catalogue file is.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.inspect import DictType, ListType, StructType

from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.enhetsregisteret.organizations import (
    FORMS,
    find_organization,
    has_valid_check_digit,
)
from app.sandbox.people import FIXED, AddedPerson, People
from app.supervisor.failure import SandboxFailed

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
        document = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise SandboxFailed(f"{file}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SandboxFailed(f"{file}: #: {error}.") from error
    if faults := [*_of_shape(document, SeedFile, "#"), *Meaning(document).faults()]:
        raise SandboxFailed("\n".join(f"{file}: {fault}" for fault in faults))
    return msgspec.convert(document, SeedFile)


def _of_shape(value: object, kind: Any, place: str) -> Iterator[str]:
    """Member by member, since msgspec stops at the first fault."""
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, StructType) and isinstance(value, dict):
        yield from _of_members(value, info.cls, place)
    elif isinstance(info, ListType) and isinstance(value, list):
        for index, one in enumerate(value):
            yield from _of_shape(one, get_args(kind)[0], f"{place}/{index}")
    elif isinstance(info, DictType) and isinstance(value, dict):
        for name, one in value.items():
            yield from _of_shape(name, get_args(kind)[0], f"{place}/{name}")
            yield from _of_shape(one, get_args(kind)[1], f"{place}/{name}")
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield f"{place}: {error}."


def _of_members(value: dict[str, Any], kind: type[Struct], place: str) -> Iterator[str]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in sorted(value.keys() - known.keys()):
        yield f"{place}: Object contains unknown field `{name}`."
    for name, field in known.items():
        if name in value:
            yield from _of_shape(value[name], field.type, f"{place}/{name}")
        elif field.required:
            yield f"{place}: Object missing required field `{name}`."


class Meaning:
    """What is said of organizations and persons, as far as the entries can be read."""

    def __init__(self, document: dict[str, Any]) -> None:
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


def _entries(document: dict[str, Any], name: str, kind: type[Entry]) -> Sequence[tuple[str, Entry]]:
    """With their places; what has another shape is left out, and told of as such."""
    found = document.get(name)
    entries = []
    for index, value in enumerate(found if isinstance(found, list) else []):
        try:
            entries.append((f"#/{name}/{index}", msgspec.convert(value, kind)))
        except msgspec.ValidationError:
            continue
    return entries
