"""What a supplier adds to the sandbox's own data: read, and refused with the place of each fault.

What belongs to the catalogue is judged by the service, as a catalogue file is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.enhetsregisteret.organizations import (
    FORMS,
    find_organization,
    has_valid_check_digit,
)
from app.sandbox.people import person_named
from app.supervisor.failure import SandboxFailed

# As the service has it for test environments.
NUMBER = re.compile(r"[23][0-9]{8}", re.ASCII)


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
    grants: list[SeededGrant] = []
    catalogue: dict[str, list[Any]] = {}
    """Entries to add to the lists of the sandbox's catalogue."""
    api_keys: dict[Annotated[str, Meta(min_length=1)], str] = {}
    """Client systems, by the keys that their installers send."""


def read_seed_file(file: Path | None) -> SeedFile:
    if file is None:
        return SeedFile()
    try:
        seed = msgspec.json.decode(file.read_bytes(), type=SeedFile)
    except OSError as error:
        raise SandboxFailed(f"{file}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SandboxFailed(f"{file}: {_place(str(error))}.") from error
    if faults := [*_of_organizations(seed), *_of_grants(seed)]:
        raise SandboxFailed("\n".join(f"{file}: {fault}" for fault in faults))
    return seed


def _place(message: str) -> str:
    """The place first, as a pointer."""
    what, _, place = message.partition(" - at `$")
    pointer = place.rstrip("`").replace("[", "/").replace(".", "/").replace("]", "")
    return f"#{pointer}: {what}"


def _of_organizations(seed: SeedFile) -> Iterator[str]:
    for index, one in enumerate(seed.organizations):
        place = f"#/organizations/{index}"
        if not NUMBER.fullmatch(one.number) or not has_valid_check_digit(one.number):
            yield f"{place}/number: {one.number} is no organization number that begins with 2 or 3."
        if one.form not in FORMS:
            yield f"{place}/form: {one.form} is none of {', '.join(FORMS)}."


def _of_grants(seed: SeedFile) -> Iterator[str]:
    for index, grant in enumerate(seed.grants):
        place = f"#/grants/{index}"
        if grant.right not in RESOURCES:
            yield f"{place}/right: {grant.right} is none of {', '.join(RESOURCES)}."
        if not _is_known(seed, grant.giver):
            yield f"{place}/from: There is no organization {grant.giver}."
        if person_named(grant.to) is None and not _is_known(seed, grant.to):
            yield f"{place}/to: {grant.to} is neither an organization nor a test person."


def _is_known(seed: SeedFile, number: str) -> bool:
    if find_organization(number) is not None:
        return True
    return any(one.number == number and one.standing != "unknown" for one in seed.organizations)
