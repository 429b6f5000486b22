"""Writing down that the issuer has to be told, in the transaction of what it has to be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.publications.models import Publication

DUE_CHANNEL = "publication_due"
DONE_CHANNEL = "publication_done"
"""Says the client's id and the version that the issuer knows."""


def publication_wanted(client_id: UUID | ColumnElement[UUID]) -> ReturningInsert[int]:
    """One more version of this client that the issuer has to know; returns `wanted`."""
    now: ColumnElement[datetime] = func.clock_timestamp()
    return (
        insert(Publication)
        .values(client_id=client_id, wanted=1, published=0, due_at=now, attempts=0)
        .on_conflict_do_update(
            index_elements=[Publication.client_id],
            set_={"wanted": Publication.wanted + 1, "due_at": now},
        )
        .returning(Publication.wanted)
    )


async def want_publication(db: AsyncSession, client_id: UUID) -> int:
    """The version that the issuer has to know once the open transaction commits."""
    wanted = await db.scalar(publication_wanted(client_id))
    await db.execute(select(func.pg_notify(DUE_CHANNEL, str(client_id))))
    assert wanted is not None
    return wanted
