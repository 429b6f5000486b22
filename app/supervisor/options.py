"""What was asked for on the command line."""

from pathlib import Path

from msgspec import Struct


class SandboxOptions(Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 8080
    neighbours_port: int = 8081
    public_url: str | None = None
    tls: bool = False
    database_url: str | None = None
    ready_file: Path | None = None
    seed_file: Path | None = None
    auto_confirm: bool = False
    time_scale: float = 1.0
    strict: int | None = None
    journal: bool = True
    workers: int = 1
    exit_with_parent: bool = False
