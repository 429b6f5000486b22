"""Which state of the database's schema this code needs.

Without Alembic, whose modules a process that serves would carry for this one question.
"""

import asyncio
from functools import cache

import asyncpg
from asyncpg import Connection, UndefinedTableError

from app.shipped import shipped


@cache
def newest_revision() -> str:
    """The revision that this code was written for. A migration's file is named by its own."""
    files = (shipped("migrations") / "versions").glob("[0-9]*.py")
    return max(file.name.partition("_")[0] for file in files)


class OtherRevision(Exception):
    """The database is not migrated, or is ahead of this code. The text is for the operator."""


async def refuse_other_revision(connection: Connection) -> None:
    """Refuse to start on a database that this code was not written for."""
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except UndefinedTableError:
        found = None
    needed = newest_revision()
    if found != needed:
        raise OtherRevision(
            f"The database is at revision {found}, this service needs {needed}: "
            "run `onboarding migrate`."
        )


def refuse_to_start(url: str) -> None:
    """`OtherRevision` unless the database answers and is as this code needs it."""
    asyncio.run(_refuse_to_start(url))


async def _refuse_to_start(url: str) -> None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise OtherRevision(f"The database does not answer: {error}") from error
    try:
        await refuse_other_revision(connection)
    finally:
        await connection.close()
