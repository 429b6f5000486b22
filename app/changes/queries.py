"""Raising the counter of what a reader of a client can see, and telling those who wait."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.changes.models import ClientChanges

CHANNEL = "client_changed"


def counter_raised(client_id: UUID | ColumnElement[UUID]) -> Insert:
    """One more change of this client, as a statement or as part of one."""
    return (
        insert(ClientChanges)
        .values(client_id=client_id, counter=1)
        .on_conflict_do_update(
            index_elements=[ClientChanges.client_id],
            set_={"counter": ClientChanges.counter + 1},
        )
    )


async def client_changed(db: AsyncSession, client_id: UUID) -> None:
    """A reader of this client sees something new once the open transaction commits."""
    await db.execute(counter_raised(client_id))
    await db.execute(select(func.pg_notify(CHANNEL, str(client_id))))
