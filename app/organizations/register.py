"""What this service asks of Enhetsregisteret, whoever answers."""

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


class Register(Protocol):
    async def look_up(self, number: str, *, known: RegisterEntry | None) -> RegisterEntry:
        """What the register says of `number`. `known` is what it said before, for its ETag.

        Raises `RegisterUnavailable`.
        """
        ...
