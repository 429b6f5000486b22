"""The service's settings in a sandbox: by the environment, and in the sandbox's scale of time."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from app.settings import Settings, read_settings


class Told(Struct, frozen=True, rename="camel"):
    time_scale: float = 1.0


def read_sandbox_settings(environment: Mapping[str, str]) -> Settings:
    file = Path(environment["SANDBOX_NEIGHBOURS_FILE"])
    told = msgspec.json.decode(file.read_bytes(), type=Told)
    return replace(read_settings(environment), time_scale=told.time_scale)
