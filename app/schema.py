"""The database's schema: bringing it up to date, and which state of it this code needs."""

import asyncio

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from asyncpg import Connection, UndefinedTableError

from app.shipped import shipped


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file: an installed wheel has none."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that are missing. Not to be called from a running event loop."""
    command.upgrade(alembic_config(url), revision)


def newest_revision() -> str | None:
    """The revision that the service's code was written for."""
    return ScriptDirectory.from_config(alembic_config("")).get_current_head()


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
