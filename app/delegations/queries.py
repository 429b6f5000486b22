"""The SQL of delegations as they are read, and of somebody waiting for them."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Interval,
    Row,
    ScalarSelect,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.models import ClientConfiguration
from app.database import Connection, HotStatement, Sessions
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import AFTER_FAILURES, ONE_WAIT, SENSITIVE_AFTER, WATCHED_FOR
from app.delegations.rules import State
from app.organizations.models import Organization
from app.organizations.register import Mark

DUE_CHANNEL = "delegation_due"

# A read writes down that somebody waits no more often than this.
WATCH_IS_NOTED_EVERY = timedelta(seconds=5)
CHECKED_AT_MOST_EVERY = timedelta(seconds=10)

_NEEDED = Delegation.state != State.NOT_REQUIRED
# Not `not_in`, whose list is made anew at each run: a hot statement is compiled once.
_CAN_BE_HURRIED = and_(_NEEDED, Delegation.state != State.ACTIVE, Delegation.state != State.SUSPECT)


def rights_of_client() -> ScalarSelect[str]:
    """A list of lists, as part of a statement on clients: what `RightSeen` holds."""
    return (
        select(
            cast(
                func.json_agg(
                    func.json_build_array(
                        Delegation.right,
                        Delegation.giver,
                        Delegation.receiver,
                        Delegation.state,
                        Delegation.not_seen_after_approval,
                        and_(
                            _CAN_BE_HURRIED,
                            func.coalesce(
                                DelegationPoll.watched_until < bindparam("watch_ends_before"), True
                            ),
                        ),
                    )
                ),
                Text,
            )
        )
        .join(DelegationPoll, DelegationPoll.delegation_id == Delegation.id)
        .where(Delegation.client_id == ClientConfiguration.client_id, _NEEDED)
        .correlate(ClientConfiguration)
        .scalar_subquery()
    )


_watched = DelegationPoll.watched_until >= bindparam("now")
_same_wait = DelegationPoll.watched_until >= bindparam("same_wait")
# A reader waits for nobody: a row that is being written just now is noted at the next read.
_free = (
    select(DelegationPoll.delegation_id)
    .join(Delegation, Delegation.id == DelegationPoll.delegation_id)
    .where(Delegation.client_id == bindparam("of_client"), _CAN_BE_HURRIED)
    .with_for_update(of=DelegationPoll, skip_locked=True)
    .cte("free")
)
_noted = (
    update(DelegationPoll)
    .where(DelegationPoll.delegation_id == _free.c.delegation_id)
    .values(
        watched_since=case((_same_wait, DelegationPoll.watched_since), else_=bindparam("now")),
        watched_until=bindparam("until"),
        # The first sight of somebody is what brings a check forward: the next ones follow it.
        due_at=case(
            (_watched, DelegationPoll.due_at),
            else_=func.least(
                DelegationPoll.due_at,
                case(
                    (
                        DelegationPoll.failures > 0,
                        bindparam("now") + bindparam("patience", type_=Interval),
                    ),
                    else_=bindparam("now"),
                ),
            ),
        ),
    )
    .returning(DelegationPoll.delegation_id)
    .cte("noted")
)
_NOTE_WATCH = HotStatement(select(func.pg_notify(DUE_CHANNEL, "")).select_from(_noted).limit(1))


async def note_watch(connection: Connection, client_id: UUID, now: datetime) -> None:
    """Somebody waits for what this client's records say: ask soon, and for a while often."""
    await _NOTE_WATCH.row(
        connection,
        of_client=client_id,
        now=now,
        until=now + WATCHED_FOR,
        same_wait=now - ONE_WAIT,
        patience=AFTER_FAILURES[0],
    )


def watch_ends_before(now: datetime) -> datetime:
    """A watch that ends before this is to be noted again."""
    return now + WATCHED_FOR - WATCH_IS_NOTED_EVERY


_DEMAND = HotStatement(
    update(DelegationPoll)
    .where(
        DelegationPoll.delegation_id == bindparam("of_delegation"),
        or_(
            DelegationPoll.asked_at.is_(None),
            DelegationPoll.asked_at <= bindparam("earlier"),
        ),
    )
    .values(
        asked_at=bindparam("now"),
        due_at=case(
            (DelegationPoll.due_at.is_(None), DelegationPoll.due_at), else_=bindparam("now")
        ),
        watched_since=case((_same_wait, DelegationPoll.watched_since), else_=bindparam("now")),
        watched_until=bindparam("until"),
    )
    .returning(func.pg_notify(DUE_CHANNEL, ""))
)
_ASKED_AT = HotStatement(
    select(
        DelegationPoll.asked_at,
        DelegationPoll.leased_until,
        DelegationPoll.due_at,
        DelegationPoll.checked_at,
        DelegationPoll.failures,
    ).where(DelegationPoll.delegation_id == bindparam("of_delegation"))
)


async def demand_check(
    connection: Connection, delegation_id: UUID, now: datetime
) -> datetime | None:
    """None: the check is due now. Else since when the last one that was demanded counts."""
    values = {
        "of_delegation": delegation_id,
        "now": now,
        "until": now + WATCHED_FOR,
        "same_wait": now - ONE_WAIT,
    }
    earlier = now - CHECKED_AT_MOST_EVERY
    if await _DEMAND.row(connection, earlier=earlier, **values) is not None:
        return None
    row = await _ASKED_AT.row(connection, of_delegation=delegation_id)
    asked_at: datetime | None = row["asked_at"] if row else None
    return asked_at or now


async def ask_again(db: AsyncSession, client_id: UUID, *, now: datetime) -> None:
    """Something sensitive has happened: what the client was given is asked about at once, unless
    it has just been. Nobody waits for the answer; until it comes, the last one counts."""
    old = (
        select(DelegationPoll.delegation_id)
        .join(Delegation, Delegation.id == DelegationPoll.delegation_id)
        .where(
            Delegation.client_id == client_id,
            Delegation.state == State.ACTIVE,
            DelegationPoll.checked_at < now - SENSITIVE_AFTER,
            DelegationPoll.due_at > now,
        )
        .with_for_update(of=DelegationPoll, skip_locked=True)
    )
    await db.execute(
        update(DelegationPoll)
        .where(DelegationPoll.delegation_id.in_(old.scalar_subquery()))
        .values(due_at=now)
        .returning(func.pg_notify(DUE_CHANNEL, ""))
    )


async def is_answered(connection: Connection, delegation_id: UUID, since: datetime) -> bool:
    """Whether Altinn was asked since then, with an answer or without."""
    row = await _ASKED_AT.row(connection, of_delegation=delegation_id)
    return row is None or row["due_at"] is None or row["due_at"] > since


async def states_of(db: AsyncSession, client_id: UUID) -> dict[tuple[str, str], State]:
    """The state of each right of a client's, by right and giver."""
    rows = await db.execute(
        select(Delegation.right, Delegation.giver, Delegation.state).where(
            Delegation.client_id == client_id, _NEEDED
        )
    )
    return {(right, giver): state for right, giver, state in rows}


async def records_of(
    db: AsyncSession,
    client_id: UUID,
    *,
    only: UUID | None = None,
    after: UUID | None = None,
    limit: int = 1,
) -> list[Row[Delegation, DelegationPoll, Mark | None]]:
    """A client's records in the order of their ids, those among them that are not needed too.

    With each, what has become of its giver.
    """
    query = (
        select(Delegation, DelegationPoll, Organization.mark)
        .join(DelegationPoll, DelegationPoll.delegation_id == Delegation.id)
        .outerjoin(Organization, Organization.organization_number == Delegation.giver)
        .where(Delegation.client_id == client_id)
        .order_by(Delegation.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if only is not None:
        query = query.where(Delegation.id == only)
    if after is not None:
        query = query.where(Delegation.id > after)
    return list(await db.execute(query))


async def next_check_due(sessions: Sessions, after: datetime) -> datetime | None:
    due = func.min(DelegationPoll.due_at)
    async with sessions() as db:
        return await db.scalar(select(due).where(DelegationPoll.due_at > after))
