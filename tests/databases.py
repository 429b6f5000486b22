"""Databases for tests: one server per run, one migrated template, a clone for each that asks.

As a program it runs a command with `ONBOARDING_TEST_DATABASE_URL` set to an embedded PostgreSQL
made of other binaries: `python -m tests.databases /usr/lib/postgresql/15/bin pytest …`.
"""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.embedded_postgres.launcher import embedded_postgres
from app.migrating import upgrade

VARIABLE = "ONBOARDING_TEST_DATABASE_URL"
CONNECTIONS = 300


@contextmanager
def database_server() -> Iterator[str]:
    """The address of a server on which we may make databases. Never the service's own."""
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    with embedded_postgres(durable=False, max_connections=CONNECTIONS) as url:
        yield url


@contextmanager
def new_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """A copy of `template`, dropped afterwards together with whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    # Copying files takes half the time of copying through the log.
    create = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'
    execute(server_url, create)
    try:
        yield address_of(server_url, name)
    finally:
        execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a database that came about as production's does: by every migration."""
    with new_database(server_url) as url:
        upgrade(url)
        yield urlsplit(url).path.removeprefix("/")


def execute(url: str, statement: str) -> None:
    asyncio.run(_execute(url, statement))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def fetched(url: str, query: str) -> list[Any]:
    """The first column."""
    return asyncio.run(_fetched(url, query))


async def _fetched(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


def address_of(server_url: str, database: str) -> str:
    parts = urlsplit(server_url)
    # urlunsplit() drops the slashes of an address without a host, so a socket's keeps its "@".
    return urlunsplit(parts._replace(path=f"/{database}"))


def main() -> int:
    binaries, *command = sys.argv[1:]
    with embedded_postgres(
        durable=False, max_connections=CONNECTIONS, binaries=Path(binaries)
    ) as url:
        return subprocess.run(command, env=os.environ | {VARIABLE: url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
