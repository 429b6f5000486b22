"""Which state of the database's schema this code needs.

Without Alembic, whose modules a process that serves would carry for this one question.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import asyncpg
from asyncpg import Connection, UndefinedTableError

from app.shipped import shipped


@cache
def newest_revision() -> str:
    """The revision that this code was written for. A migration's file is named by its own."""
    files = (shipped("migrations") / "versions").glob("[0-9]*.py")
    return max(file.name.partition("_")[0] for file in files)


def is_later(revision: str | None) -> bool:
    """Whether it comes from later code than this. Revisions are numbered, in four digits."""
    return (revision or "") > newest_revision()


class OtherRevision(Exception):
    """The database is not migrated, or is ahead of this code. The text is for the operator."""


async def refuse_other_revision(connection: Connection) -> None:
    """Refuse to start on a database that this code was not written for."""
    found, needed = await _revision(connection), newest_revision()
    if is_later(found):
        raise OtherRevision(
            f"The database is at revision {found}, which comes from a later version than this "
            f"({needed}): start that one."
        )
    if found != needed:
        is_at = f"is at revision {found}" if found else "has no schema"
        raise OtherRevision(
            f"The database {is_at}, this service needs revision {needed}: run `onboarding migrate`."
        )


def refuse_to_start(url: str) -> None:
    """`OtherRevision` unless the database answers and is as this code needs it."""
    asyncio.run(_refuse_to_start(url))


async def _refuse_to_start(url: str) -> None:
    async with _connected(url) as connection:
        await refuse_other_revision(connection)


async def revision_at(url: str) -> str | None:
    """None before the first migration. `OtherRevision` when the database does not answer."""
    async with _connected(url) as connection:
        return await _revision(connection)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise OtherRevision(f"The database does not answer: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()


async def _revision(connection: Connection) -> str | None:
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except UndefinedTableError:
        return None
    return found
