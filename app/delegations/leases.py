"""The delegations that are due: taken many at a time, and given back with what was answered.

A lease ends by the database's clock: its hosts may disagree about the time, it does not. No lock
is held while Altinn is asked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    CTE,
    TIMESTAMP,
    ColumnElement,
    Integer,
    Interval,
    Text,
    Update,
    Uuid,
    bindparam,
    case,
    column,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import CLOCK, Connection, HotStatement
from app.delegations.answers import Source, Standing
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import ONE_WAIT, Attention
from app.delegations.rules import State
from app.organizations.models import Organization

_MOMENT = TIMESTAMP(timezone=True)


_GIVER_GONE = (
    exists()
    .where(Organization.organization_number == Delegation.giver, Organization.mark.is_not(None))
    .correlate(Delegation)
)


class Lease(Struct, frozen=True, kw_only=True):
    """The right to ask about one delegation until a moment, which also names the lease."""

    delegation_id: UUID
    until: datetime
    client_id: UUID
    needed: bool
    right: str
    giver: str
    receiver: str
    standing: Standing
    giver_gone: bool
    request_id: str | None
    attention: Attention


class Kept(Struct, frozen=True, kw_only=True):
    """What is written of one poll."""

    lease: Lease
    due_at: datetime | None
    soon: datetime | None = None
    """When to ask at the latest, should somebody have begun to wait meanwhile."""
    source: Source | None = None
    decision: str | None = None
    request_ref: str | None = None
    failures: int = 0
    last_error: str | None = None


def _due(*conditions: ColumnElement[bool], order: Any) -> CTE:
    return (
        select(DelegationPoll.delegation_id)
        .where(
            DelegationPoll.due_at <= bindparam("now"),
            or_(DelegationPoll.leased_until.is_(None), DelegationPoll.leased_until <= CLOCK),
            *conditions,
        )
        .order_by(order)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )


def _lease(due: CTE) -> HotStatement:
    return HotStatement(
        update(DelegationPoll)
        .where(
            DelegationPoll.delegation_id == due.c.delegation_id,
            Delegation.id == due.c.delegation_id,
            ClientConfiguration.client_id == Delegation.client_id,
        )
        .values(leased_until=CLOCK + bindparam("lasting", type_=Interval))
        .returning(
            Delegation.id,
            Delegation.client_id,
            Delegation.right,
            Delegation.giver,
            Delegation.receiver,
            Delegation.state,
            Delegation.since,
            Delegation.not_seen_after_approval,
            Delegation.first_no_at,
            Delegation.first_no_by,
            Delegation.request_id,
            Delegation.requested_at,
            _GIVER_GONE.label("giver_gone"),
            DelegationPoll.leased_until,
            DelegationPoll.failures,
            DelegationPoll.watched_since,
            DelegationPoll.watched_until,
            ClientConfiguration.status,
        )
    )


# Two statements and not one: an order that puts those with a waiting reader first would have to
# sort everything that is due.
_LEASE_URGENT = _lease(
    _due(
        DelegationPoll.watched_until >= bindparam("now"),
        DelegationPoll.watched_since > bindparam("wait_began_after"),
        order=DelegationPoll.watched_until,
    )
)
_LEASE_ANY = _lease(_due(order=DelegationPoll.due_at))


async def take_leases(
    connection: Connection, *, limit: int, lasting: timedelta, now: datetime
) -> list[Lease]:
    """What is due and in nobody's hands, first what somebody has begun to wait for."""
    urgent = {"wait_began_after": now - ONE_WAIT, "now": now, "lasting": lasting}
    rows = await _LEASE_URGENT.rows(connection, limit=limit, **urgent)
    if len(rows) < limit:
        left = limit - len(rows)
        rows += await _LEASE_ANY.rows(connection, now=now, limit=left, lasting=lasting)
    return [_lease_of(row) for row in rows]


def _lease_of(row: asyncpg.Record) -> Lease:
    first_no_by = row["first_no_by"]
    return Lease(
        delegation_id=row["id"],
        until=row["leased_until"],
        client_id=row["client_id"],
        needed=row["status"] != ClientStatus.CLOSED,
        right=row["right"],
        giver=row["giver"],
        receiver=row["receiver"],
        standing=Standing(
            state=State(row["state"]),
            since=row["since"],
            not_seen_after_approval=row["not_seen_after_approval"],
            first_no_at=row["first_no_at"],
            first_no_by=Source(first_no_by) if first_no_by else None,
            requested_at=row["requested_at"],
        ),
        giver_gone=row["giver_gone"],
        request_id=row["request_id"],
        attention=Attention(row["watched_since"], row["watched_until"], row["failures"]),
    )


def _many(name: str, kind: TypeEngine[Any]) -> Any:
    return bindparam(name, type_=ARRAY(kind))


_kept = (
    func.unnest(
        _many("ids", Uuid()),
        _many("untils", _MOMENT),
        _many("dues", _MOMENT),
        _many("soons", _MOMENT),
        _many("sources", Text()),
        _many("decisions", Text()),
        _many("refs", Text()),
        _many("failures", Integer()),
        _many("errors", Text()),
    )
    .table_valued(
        column("id", Uuid()),
        column("until", _MOMENT),
        column("due_at", _MOMENT),
        column("soon", _MOMENT),
        column("source", Text()),
        column("decision", Text()),
        column("request_ref", Text()),
        column("failures", Integer()),
        column("last_error", Text()),
        name="kept",
    )
    .render_derived()
)


def _giving_back(**values: Any) -> Update:
    """Only where the lease still holds: who lost it must not write over his successor."""
    begun_waiting = DelegationPoll.watched_until >= bindparam("now")
    return (
        update(DelegationPoll)
        .where(
            DelegationPoll.delegation_id == _kept.c.id,
            DelegationPoll.leased_until == _kept.c.until,
        )
        .values(
            leased_until=None,
            # `least` passes over a null.
            due_at=case(
                (begun_waiting, func.least(_kept.c.due_at, _kept.c.soon)), else_=_kept.c.due_at
            ),
            failures=_kept.c.failures,
            last_error=_kept.c.last_error,
            **values,
        )
        .returning(DelegationPoll.delegation_id)
    )


_KEEP_ANSWERS = HotStatement(
    _giving_back(
        checked_at=bindparam("now"),
        source=_kept.c.source,
        decision=_kept.c.decision,
        request_ref=_kept.c.request_ref,
    )
)
_KEEP_FAILURES = HotStatement(_giving_back())


async def give_back(
    connection: Connection, kept: Sequence[Kept], *, answered: bool, now: datetime
) -> None:
    """Write what the answers were (`answered`), or that there were none: the old ones stay."""
    if not kept:
        return
    statement = _KEEP_ANSWERS if answered else _KEEP_FAILURES
    # In one order, so that two batches never wait for each other in a circle.
    kept = sorted(kept, key=lambda entry: entry.lease.delegation_id)
    await statement.rows(
        connection,
        now=now,
        ids=[entry.lease.delegation_id for entry in kept],
        untils=[entry.lease.until for entry in kept],
        dues=[entry.due_at for entry in kept],
        soons=[entry.soon for entry in kept],
        sources=[entry.source for entry in kept],
        decisions=[entry.decision for entry in kept],
        refs=[entry.request_ref for entry in kept],
        failures=[entry.failures for entry in kept],
        errors=[entry.last_error for entry in kept],
    )
