"""Writing down that the issuer has to be told, in the transaction of what it has to be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.publications.models import Publication

DUE_CHANNEL = "publication_due"
DONE_CHANNEL = "publication_done"
"""Says the client's id and the version that the issuer knows."""


def publications_wanted(client_ids: Select[UUID]) -> ReturningInsert[int]:
    """One more version of these clients that the issuer has to know; returns `wanted`."""
    now: ColumnElement[datetime] = func.clock_timestamp()
    [client_id] = client_ids.selected_columns
    return (
        insert(Publication)
        .from_select(
            ["client_id", "wanted", "published", "due_at", "attempts"],
            client_ids.with_only_columns(client_id, literal(1), literal(0), now, literal(0)),
            include_defaults=False,
        )
        .on_conflict_do_update(
            index_elements=[Publication.client_id],
            set_={"wanted": Publication.wanted + 1, "due_at": now},
        )
        .returning(Publication.wanted)
    )


async def want_publication(db: AsyncSession, client_id: UUID) -> int:
    """The version that the issuer has to know once the open transaction commits."""
    wanted = await db.scalar(publications_wanted(select(literal(client_id))))
    await db.execute(select(func.pg_notify(DUE_CHANNEL, str(client_id))))
    assert wanted is not None
    return wanted
