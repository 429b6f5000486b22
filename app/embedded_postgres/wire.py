"""What the launcher and the keeper say to each other: one line of JSON each way."""

from msgspec import Struct


class PostgresOptions(Struct, frozen=True, kw_only=True):
    durable: bool = True
    max_connections: int = 200
    binaries: str | None = None


class PostgresStarted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    url: str = ""
    error: str = ""
