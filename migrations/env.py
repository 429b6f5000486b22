"""How Alembic gets to the database. The address comes from the caller, by `attributes["url"]`."""

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from app.database import Json, engine_of
from app.tables import metadata


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Migrations outlive the code, so they name PostgreSQL's types and never ours."""
    if kind == "type" and isinstance(item, Json):
        autogen.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return "JSONB()"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    return False


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        # Instances that start together migrate one after the other, however long the first takes.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('migrations'))"))
        # One that cannot get its locks gives up before requests pile up behind it.
        connection.execute(sa.text("SET LOCAL lock_timeout = '4s'"))
        context.run_migrations()


async def connect_and_migrate(url: str) -> None:
    engine = engine_of(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_migrate(context.config.attributes["url"]))
