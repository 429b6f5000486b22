"""What the service's processes are told in a sandbox, by the file that the stand-ins read, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from app.sandbox.people import AddedPerson
from app.settings import Settings, read_settings


class Added(Struct, frozen=True, rename="camel"):
    """What a seed file adds."""

    catalogue: dict[str, list[Any]] = {}
    api_keys: dict[str, str] = {}
    persons: list[AddedPerson] = []


class Told(Struct, frozen=True, rename="camel"):
    controls_secret: str
    neighbours_url: str | None = None
    """Where the stand-ins are told the time; nowhere when there are none."""
    auto_confirm: bool = False
    journal: bool = True
    """Whether the stand-ins are told each call."""
    strict: int | None = None
    """The seed by which the service behaves as the strictest might."""
    time_scale: float = 1.0
    seed: Added = Added()


def read_told(environment: Mapping[str, str]) -> Told:
    file = Path(environment["SANDBOX_NEIGHBOURS_FILE"])
    return msgspec.json.decode(file.read_bytes(), type=Told)


def sandbox_settings(environment: Mapping[str, str], told: Told) -> Settings:
    """By the environment, and in the sandbox's scale of time."""
    return replace(read_settings(environment), time_scale=told.time_scale)
