"""Following Altinn's list of resources whose rules have changed.

Who holds a right by its rules may have lost or got it: all that is known of that right is asked
about anew, as fast as the budget lets it.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Right
from app.database import Sessions
from app.delegations.altinn import AltinnUnavailable, ResourceFeed
from app.delegations.feeds import Turn, TurnLost, end_turn, keep_turn, take_turn, turn_failed
from app.delegations.models import Delegation, DelegationPoll

log = logging.getLogger(__name__)

FEED = "resourceRegistry"
EVERY = timedelta(hours=1)
# So many rows are locked at a time: somebody may be waiting for one of them.
AT_ONCE = 1000


async def follow_resources(
    sessions: Sessions, feed: ResourceFeed, rights: Mapping[str, Right], *, now: datetime
) -> bool:
    """Always False: one turn reads all that is new."""
    async with sessions.begin() as db:
        turn = await take_turn(db, FEED, beginning=now.isoformat(), now=now)
    if turn is None:
        return False
    try:
        changed = await feed.changed_since(datetime.fromisoformat(turn.cursor))
        names = [right.name for right in rights.values() if right.resource_id in changed.ids]
        await _ask_anew(sessions, turn, names, now)
        async with sessions.begin() as db:
            await keep_turn(db, turn, cursor=changed.until.isoformat())
            await end_turn(db, turn, due_at=now + EVERY)
    except AltinnUnavailable as error:
        log.warning("changes of rules in Altinn are not followed: %s", error)
        async with sessions.begin() as db:
            await turn_failed(db, turn, str(error), now=now)
    except TurnLost:
        pass  # whoever has it now reads the same
    return False


async def _ask_anew(sessions: Sessions, turn: Turn, names: Collection[str], now: datetime) -> None:
    more = bool(names)
    while more:
        async with sessions.begin() as db:
            await keep_turn(db, turn)
            more = await _some_due(db, names, now)


async def _some_due(db: AsyncSession, names: Collection[str], now: datetime) -> bool:
    """False: there are no more. What somebody is writing just now is being asked about."""
    later = (
        select(DelegationPoll.delegation_id)
        .join(Delegation, Delegation.id == DelegationPoll.delegation_id)
        .where(Delegation.right.in_(names), DelegationPoll.due_at > now)
        .limit(AT_ONCE)
        .with_for_update(of=DelegationPoll, skip_locked=True)
    )
    made_due = await db.scalars(
        update(DelegationPoll)
        .where(DelegationPoll.delegation_id.in_(later.scalar_subquery()))
        .values(due_at=now)
        .returning(DelegationPoll.delegation_id)
    )
    return len(made_due.all()) == AT_ONCE
