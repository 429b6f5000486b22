"""Sealing what has happened. The rows are added unchained, so that writers never wait in line.

A transaction's number is taken when it begins to write, its rows show when it commits. So only
rows of transactions below the oldest one that still runs are sealed: nothing can come in before
them any more, and their order is for ever.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.chain import BEGINNING, chained
from app.audit.models import AuditEvent, AuditSeal, TransactionId
from app.database import Sessions

log = logging.getLogger(__name__)

AT_ONCE = 500
_ONE_SEALER = func.hashtextextended("audit seals", 0)
SEALED_WITHIN = timedelta(minutes=1)


async def seal_trail(sessions: Sessions) -> bool:
    """Seal some of what has happened, unless another process is doing it. True: there is more."""
    async with sessions.begin() as db:
        # Released after the commit can be seen: whoever gets it next sees these seals.
        if not await db.scalar(select(func.pg_try_advisory_xact_lock(_ONE_SEALER))):
            return False
        events = (await db.scalars(_settled_in_order())).all()
        if not events:
            return False
        newest = await newest_seal(db)
        last, previous = (newest.number, newest.hash) if newest else (0, BEGINNING)
        sealed_at = await db.scalar(select(func.clock_timestamp()))
        assert sealed_at is not None
        for number, event in enumerate(events, last + 1):
            previous = chained(previous, event)
            db.add(AuditSeal(number=number, event_id=event.id, hash=previous, sealed_at=sealed_at))
    return len(events) == AT_ONCE


async def warn_of_unsealed(sessions: Sessions, *, now: datetime) -> bool:
    """Raise the alarm when something that happened over a minute ago has no seal yet."""
    async with sessions() as db:
        # As a value: the planner would take a subquery's for the whole trail, and read it all.
        floor = await db.scalar(select(_floor()))
        waiting = await db.scalar(
            select(func.count()).select_from(
                _unsealed(floor).where(AuditEvent.at < now - SEALED_WITHIN).subquery()
            )
        )
    if waiting:
        log.error("%d audit events have waited for their seal for over a minute", waiting)
    return False


async def newest_seal(db: AsyncSession) -> AuditSeal | None:
    return await db.scalar(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1))


def unsealed_before_newest_seal() -> Select[int]:
    """Events without a seal that come before the newest sealed one: the sealer left none there."""
    last = (
        select(AuditEvent.transaction_id, AuditEvent.id)
        .join(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .order_by(AuditSeal.number.desc())
        .limit(1)
        .cte("last")
    )
    return (
        select(AuditEvent.id)
        .where(
            tuple_(AuditEvent.transaction_id, AuditEvent.id)
            < tuple_(last.c.transaction_id, last.c.id),
            ~exists().where(AuditSeal.event_id == AuditEvent.id),
        )
        .order_by(AuditEvent.id)
    )


def _unsealed(floor: Any) -> Select[AuditEvent]:
    """What has no seal, looked for no further back than `floor`."""
    sealed = exists().where(AuditSeal.event_id == AuditEvent.id)
    return select(AuditEvent).where(AuditEvent.transaction_id >= floor, ~sealed)


def _floor() -> ColumnElement[int]:
    """The transaction that was sealed last.

    A dump that was read into another cluster holds numbers of transactions that are yet to come
    there: then everything is looked through.
    """
    last = (
        select(AuditEvent.transaction_id)
        .join(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .order_by(AuditSeal.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case((last < _oldest_running(), last), else_=_NO_TRANSACTION)


def _settled_in_order() -> Select[AuditEvent]:
    order = AuditEvent.transaction_id, AuditEvent.id
    settled = AuditEvent.transaction_id < _oldest_running()
    return _unsealed(_floor()).where(settled).order_by(*order).limit(AT_ONCE)


def _oldest_running() -> ColumnElement[int]:
    return func.pg_snapshot_xmin(func.pg_current_snapshot(), type_=TransactionId())


_NO_TRANSACTION: ColumnElement[int] = literal_column("'0'::xid8", TransactionId())
