"""The rows of what the issuer has to be told: taken one at a time, and given back.

All times here are the database's: its hosts may disagree about the time, it does not.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import CLOCK, leased_row
from app.publications.models import Publication
from app.publications.queries import DONE_CHANNEL, DUE_CHANNEL


class Lease(Struct, frozen=True):
    """The right to tell the issuer of one client until a moment, which also names the lease."""

    client_id: UUID
    until: datetime
    attempts: int


async def next_lease(db: AsyncSession, lasting: timedelta) -> Lease | None:
    """The publication that has been due longest, unless somebody has it in hand."""
    row = await leased_row(
        db,
        Publication,
        Publication.published < Publication.wanted,
        Publication.due_at <= CLOCK,
        lasting=lasting,
    )
    if row is None or row.leased_until is None:
        return None
    return Lease(row.client_id, row.leased_until, row.attempts)


async def wanted_now(db: AsyncSession, client_id: UUID) -> int:
    """The version of what is read of this client after it; reading it before is what counts.

    A change raises `wanted` in its own transaction. So what is read later may be newer than this
    number, and is then told once more, but never older.
    """
    wanted: int = (
        await db.execute(select(Publication.wanted).where(Publication.client_id == client_id))
    ).scalar_one()
    return wanted


async def mark_published(db: AsyncSession, lease: Lease, version: int) -> None:
    """The issuer knows `version`, if the lease still held when it was told.

    If not, somebody may have told it something newer before: it is told once more, lest the
    older state stays. Either way this holds one row's lock only, so it cannot deadlock.
    """
    kept = await db.scalar(
        update(Publication)
        .where(Publication.client_id == lease.client_id, Publication.leased_until == lease.until)
        .values(
            published=func.greatest(Publication.published, version),
            leased_until=None,
            due_at=CLOCK,
            attempts=0,
            last_failure=None,
        )
        .returning(Publication.published)
    )
    if kept is None:
        await _want_again(db, lease.client_id)
    else:
        done = f"{lease.client_id} {kept}"
        await db.execute(select(func.pg_notify(DONE_CHANNEL, done)))


async def mark_failed(db: AsyncSession, lease: Lease, failure: str, wait: timedelta) -> None:
    """Try again after `wait`. A change that is made meanwhile makes it due at once."""
    await db.execute(
        update(Publication)
        .where(Publication.client_id == lease.client_id, Publication.leased_until == lease.until)
        .values(
            leased_until=None,
            due_at=CLOCK + wait,
            attempts=lease.attempts + 1,
            last_failure=failure,
        )
    )


async def want_all_again(db: AsyncSession) -> int:
    """Every client that the issuer was ever to know, the closed ones too: how many."""
    in_order = (
        select(Publication.client_id).order_by(Publication.client_id).with_for_update()
    ).cte("in_order")
    result = await db.execute(
        update(Publication)
        .where(Publication.client_id == in_order.c.client_id)
        .values(wanted=Publication.wanted + 1, due_at=CLOCK, attempts=0)
        .returning(Publication.client_id)
    )
    count = len(result.all())
    await db.execute(select(func.pg_notify(DUE_CHANNEL, "")))
    return count


async def _want_again(db: AsyncSession, client_id: UUID) -> None:
    await db.execute(
        update(Publication)
        .where(Publication.client_id == client_id)
        .values(wanted=Publication.wanted + 1, due_at=CLOCK)
    )
