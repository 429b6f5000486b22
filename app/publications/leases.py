"""The rows of what the issuer has to be told: taken one at a time, and given back.

All times here are the database's: its hosts may disagree about the time, it does not. Each
statement commits by itself: it holds one row's lock only, so it cannot deadlock.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Interval, Text, bindparam, cast, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import CLOCK, Connection, HotStatement
from app.publications.models import Publication
from app.publications.queries import DONE_CHANNEL, DUE_CHANNEL


class Lease(Struct, frozen=True):
    """The right to tell the issuer of one client until a moment, which also names the lease."""

    client_id: UUID
    until: datetime
    attempts: int
    version: int
    """Of what is read of the client from now on. A change raises it in its own transaction: so
    what is read may be newer, and is then told once more, but never older."""


_due = (
    select(Publication.client_id)
    .where(
        Publication.published < Publication.wanted,
        Publication.due_at <= CLOCK,
        or_(Publication.leased_until.is_(None), Publication.leased_until <= CLOCK),
    )
    .order_by(Publication.due_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_LEASE = HotStatement(
    update(Publication)
    .where(Publication.client_id == _due)
    .values(leased_until=CLOCK + bindparam("lasting", type_=Interval))
    .returning(
        Publication.client_id,
        Publication.leased_until,
        Publication.attempts,
        Publication.wanted,
    )
)

_leased = (
    update(Publication)
    .where(
        Publication.client_id == bindparam("of_client"),
        Publication.leased_until == bindparam("until"),
    )
    .values(leased_until=None)
)
_known = (
    _leased.values(
        published=func.greatest(Publication.published, bindparam("version")),
        due_at=CLOCK,
        attempts=0,
        last_failure=None,
    )
    .returning(Publication.client_id, Publication.published)
    .cte("known")
)
_word = cast(_known.c.client_id, Text) + " " + cast(_known.c.published, Text)
_PUBLISHED = HotStatement(select(func.pg_notify(DONE_CHANNEL, _word)))
_FAILED = HotStatement(
    _leased.values(
        due_at=CLOCK + bindparam("wait", type_=Interval),
        attempts=bindparam("attempts_made"),
        last_failure=bindparam("failure"),
    ).returning(literal(1))
)
_WANT_AGAIN = HotStatement(
    update(Publication)
    .where(Publication.client_id == bindparam("of_client"))
    .values(wanted=Publication.wanted + 1, due_at=CLOCK)
    .returning(literal(1))
)


async def next_lease(connection: Connection, lasting: timedelta) -> Lease | None:
    """The publication that has been due longest, unless somebody has it in hand."""
    row = await _LEASE.row(connection, lasting=lasting)
    return Lease(*row) if row else None


async def mark_published(connection: Connection, lease: Lease) -> None:
    """The issuer knows the lease's version, if the lease still held when it was told.

    If not, somebody may have told it something newer before: it is told once more, lest the
    older state stays.
    """
    kept = await _PUBLISHED.row(
        connection,
        of_client=lease.client_id,
        until=lease.until,
        version=lease.version,
    )
    if kept is None:
        await _WANT_AGAIN.row(connection, of_client=lease.client_id)


async def mark_failed(connection: Connection, lease: Lease, failure: str, wait: timedelta) -> None:
    """Try again after `wait`. A change that is made meanwhile makes it due at once."""
    await _FAILED.row(
        connection,
        of_client=lease.client_id,
        until=lease.until,
        wait=wait,
        attempts_made=lease.attempts + 1,
        failure=failure,
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
