"""Following Enhetsregisteret's updates: those of whom it says something new are looked up.

What the list names is written down as outdated in the transaction that moves the cursor, so
that no later failure loses it. The first reader does not read what the whole country has been
through: it begins shortly before now, and looks up everybody that is known.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Sessions
from app.delegations.feeds import Turn, TurnLost, end_turn, keep_turn, take_turn, turn_failed
from app.delegations.marking import register_said
from app.delegations.models import Delegation
from app.delegations.rules import State
from app.organizations.models import Organization
from app.organizations.queries import entry_of, outdate, remembered_organization
from app.organizations.register import Register, RegisterUnavailable, UpdateFeed

log = logging.getLogger(__name__)

FEED = "enhetsregisteret"
EVERY = timedelta(minutes=10)
# More than clocks differ, and than the register takes to write its list.
OVERLAP = timedelta(hours=1)
LOOKED_UP_IN_A_TURN = 20


async def follow_register(
    sessions: Sessions,
    register: Register,
    feed: UpdateFeed,
    *,
    now: datetime,
) -> bool:
    """Read on in the list, or look some up that it has named. False: that is all for now."""
    beginning = feed.beginning(now - OVERLAP)
    async with sessions.begin() as db:
        turn = await take_turn(db, FEED, beginning=beginning, now=now)
    if turn is None:
        return False
    try:
        more = await _read_on(sessions, feed, turn) or await _look_up_some(
            sessions, register, turn, now
        )
    except RegisterUnavailable as error:
        log.warning("the register's updates are not followed: %s", error)
        async with sessions.begin() as db:
            await turn_failed(db, turn, str(error), now=now)
        return False
    except TurnLost:
        return False
    async with sessions.begin() as db:
        await end_turn(db, turn, due_at=now if more else now + EVERY)
    return more


async def _read_on(sessions: Sessions, feed: UpdateFeed, turn: Turn) -> bool:
    updates = await feed.updates(turn.cursor)
    if updates.cursor == turn.cursor:
        return False
    async with sessions.begin() as db:
        await keep_turn(db, turn, cursor=updates.cursor)
        await outdate(db, updates.numbers)
    return True


async def _look_up_some(sessions: Sessions, register: Register, turn: Turn, now: datetime) -> bool:
    """One that cannot be looked up holds up nobody else."""
    async with sessions() as db:
        numbers = await _to_look_up(db, turn.begun_at)
    failure: RegisterUnavailable | None = None
    done = 0
    for number in numbers:
        try:
            await _look_up(sessions, register, turn, number, now)
            done += 1
        except RegisterUnavailable as error:
            failure = error
    if failure is not None and done == 0:
        raise failure
    return len(numbers) == LOOKED_UP_IN_A_TURN


async def _look_up(
    sessions: Sessions, register: Register, turn: Turn, number: str, now: datetime
) -> None:
    async with sessions() as db:
        row = await remembered_organization(db, number)
    entry = await register.look_up(number, known=None if row is None else entry_of(row))
    async with sessions.begin() as db:
        await keep_turn(db, turn)
        await register_said(db, number, entry, now=now)


async def _to_look_up(db: AsyncSession, begun_at: datetime) -> list[str]:
    """Of those that clients act for: whom the list has named, and who was not looked up since."""
    open_clients = ClientConfiguration.status != ClientStatus.CLOSED
    held = union(
        select(ClientConfiguration.organization_number.label("number")).where(open_clients),
        select(Delegation.giver).where(Delegation.state != State.NOT_REQUIRED),
    ).subquery("held")
    query = (
        select(held.c.number)
        .outerjoin(Organization, Organization.organization_number == held.c.number)
        .where(
            or_(
                Organization.organization_number.is_(None),
                Organization.outdated,
                Organization.checked_at < begun_at,
            )
        )
        .order_by(func.random())
        .limit(LOOKED_UP_IN_A_TURN)
    )
    return list(await db.scalars(query))
