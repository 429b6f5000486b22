"""Which state of the database's schema this code can work with.

Without Alembic, whose modules a process that serves would carry for this one question.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import asyncpg
from asyncpg import Connection, UndefinedTableError

from app.shipped import shipped

# A migration only adds what the version before can do without, so that it goes on. One that takes
# something away says, in the comment on Alembic's table, the revision of the oldest code that does.
STATE = """
    SELECT version_num, obj_description('alembic_version'::regclass, 'pg_class') AS oldest_code
    FROM alembic_version"""

log = logging.getLogger(__name__)


@cache
def newest_revision() -> str:
    """The revision that this code was written for. A migration's file is named by its own."""
    files = (shipped("migrations") / "versions").glob("[0-9]*.py")
    return max(file.name.partition("_")[0] for file in files)


def is_later(revision: str | None) -> bool:
    """Whether it comes from later code than this. Revisions are numbered, in four digits."""
    return (revision or "") > newest_revision()


def misfit(revision: str | None, oldest_code: str | None) -> str | None:
    """Why this code cannot work with a database that says so of itself; None where it can."""
    needed = newest_revision()
    if is_later(revision):
        if needed >= (oldest_code or ""):
            return None
        return (
            f"the database is at revision {revision}, which comes from a later version than this "
            f"({needed}): start that one"
        )
    if revision == needed:
        return None
    is_at = f"is at revision {revision}" if revision else "has no schema"
    return f"the database {is_at}, this service needs revision {needed}: run `onboarding migrate`"


class OtherRevision(Exception):
    """The database is not migrated, or too far ahead of this code. The text is for the operator."""


async def refuse_other_revision(connection: Connection) -> None:
    """Refuse to start on a database that this code cannot work with."""
    revision = await _fitting_revision(connection)
    if is_later(revision):
        log.warning("a later version has migrated the database, to revision %s", revision)


def refuse_to_start(url: str) -> None:
    """`OtherRevision` unless the database answers and this code can work with it."""
    asyncio.run(_refuse_to_start(url))


async def _refuse_to_start(url: str) -> None:
    async with _connected(url) as connection:
        await _fitting_revision(connection)


async def is_ahead(url: str) -> bool:
    """Whether later code has migrated the database. `OtherRevision` when this cannot work with it,
    or it does not answer."""
    async with _connected(url) as connection:
        revision, oldest_code = await _state(connection)
    if is_later(revision):
        _refuse_misfit(revision, oldest_code)
    return is_later(revision)


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


async def _fitting_revision(connection: Connection) -> str | None:
    revision, oldest_code = await _state(connection)
    _refuse_misfit(revision, oldest_code)
    return revision


def _refuse_misfit(revision: str | None, oldest_code: str | None) -> None:
    if why := misfit(revision, oldest_code):
        raise OtherRevision(f"{why[0].upper()}{why[1:]}.")


async def _state(connection: Connection) -> tuple[str | None, str | None]:
    """The revision, None before the first migration, and the oldest code that can go on."""
    try:
        row = await connection.fetchrow(STATE)
    except UndefinedTableError:
        return None, None
    return (row["version_num"], row["oldest_code"]) if row else (None, None)
