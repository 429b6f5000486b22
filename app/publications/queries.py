"""Writing down that the issuer has to be told, in the transaction of what it has to be told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.changes.queries import client_changed
from app.publications.models import Publication, ToldScopes

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


async def wanted_now(db: AsyncSession, client_id: UUID) -> int:
    """The newest version that the issuer has to know."""
    wanted: int = (
        await db.execute(select(Publication.wanted).where(Publication.client_id == client_id))
    ).scalar_one()
    return wanted


async def scopes_told(db: AsyncSession, client_id: UUID, scopes: Sequence[str]) -> None:
    """The issuer gives tokens for these now: whoever waits for that is told once it is new."""
    told = insert(ToldScopes).values(client_id=client_id, scopes=list(scopes))
    changed = await db.scalar(
        told.on_conflict_do_update(
            index_elements=[ToldScopes.client_id],
            set_={"scopes": told.excluded.scopes},
            where=ToldScopes.scopes != told.excluded.scopes,
        ).returning(ToldScopes.client_id)
    )
    if changed is not None:
        await client_changed(db, client_id)
