"""What this service asks of Enhetsregisteret, whoever answers."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Verdict(StrEnum):
    """Whether a number may own a client (ALTINN.md section 9's table)."""

    MAIN_UNIT = "mainUnit"
    ORGANIZATIONAL_PART = "organizationalPart"  # organisasjonsledd
    SUB_UNIT = "subUnit"
    BANKRUPT = "bankrupt"
    DELETED = "deleted"
    REMOVED = "removed"
    UNKNOWN_NUMBER = "unknownNumber"


class Mark(StrEnum):
    """What has become of an organization that can no longer act for itself."""

    BANKRUPT = "bankrupt"
    DELETED = "deleted"
    REMOVED = "removed"


MARKS = {
    Verdict.BANKRUPT: Mark.BANKRUPT,
    Verdict.DELETED: Mark.DELETED,  # merged into another, too
    Verdict.REMOVED: Mark.REMOVED,
}


class RegisterEntry(Struct, frozen=True):
    """The register's answer for one number; `main_unit` is set for parts and sub-units."""

    verdict: Verdict
    name: str | None = None
    main_unit: str | None = None
    etag: str | None = None
    winding_up: bool = False
    """It may own a client, but not for long."""


class RegisterUnavailable(Exception):
    """The register gave no answer that can be relied on: nothing is known."""


class Updates(Struct, frozen=True):
    """Numbers of which the register now says something else, and where to read on."""

    numbers: list[str]
    cursor: str


class Register(Protocol):
    async def look_up(self, number: str, *, known: RegisterEntry | None) -> RegisterEntry:
        """What the register says of `number`. `known` is what it said before, for its ETag.

        Raises `RegisterUnavailable`.
        """
        ...


class UpdateFeed(Protocol):
    """The register's own list of what has changed, oldest first."""

    def beginning(self, since: datetime) -> str:
        """The cursor of one who wants to know what changes from then on."""
        ...

    async def updates(self, cursor: str) -> Updates:
        """What comes next; the same cursor again when nothing does. Raises
        `RegisterUnavailable`."""
        ...
