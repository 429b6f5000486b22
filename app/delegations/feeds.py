"""How far we have read in the neighbours' lists of changes, and whose turn it is to read on.

A turn ends by the database's clock, and is checked in every transaction of whoever has it: what
is read has its effect once, however many workers there are.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Update, delete, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import CLOCK
from app.delegations.models import FollowedFeed
from app.delegations.polling import AFTER_FAILURES

LASTING = timedelta(seconds=90)


class TurnLost(Exception):
    """It took too long, and somebody else reads on. Nothing of this is to be kept."""


class Turn(Struct, frozen=True):
    """The right to read on until a moment, which also names it."""

    name: str
    until: datetime
    cursor: str
    begun_at: datetime
    failures: int


async def take_turn(db: AsyncSession, name: str, *, beginning: str, now: datetime) -> Turn | None:
    """None: nothing is due, or somebody is reading. The first of all begins at `beginning`."""
    first = {"cursor": beginning, "begun_at": now, "due_at": now, "failures": 0}
    await db.execute(insert(FollowedFeed).values(name=name, **first).on_conflict_do_nothing())
    row = (
        await db.execute(
            update(FollowedFeed)
            .where(
                FollowedFeed.name == name,
                FollowedFeed.due_at <= now,
                or_(FollowedFeed.leased_until.is_(None), FollowedFeed.leased_until <= CLOCK),
            )
            .values(leased_until=CLOCK + LASTING)
            .returning(
                FollowedFeed.leased_until,
                FollowedFeed.cursor,
                FollowedFeed.begun_at,
                FollowedFeed.failures,
            )
        )
    ).one_or_none()
    if row is None or row.leased_until is None:
        return None
    return Turn(name, row.leased_until, row.cursor, row.begun_at, row.failures)


async def keep_turn(db: AsyncSession, turn: Turn, *, cursor: str | None = None) -> None:
    """To be called first in each transaction of a turn: nobody else gets it before the end."""
    kept = await db.scalar(
        _of(turn).values(cursor=cursor or FollowedFeed.cursor).returning(FollowedFeed.name)
    )
    if kept is None:
        raise TurnLost


async def end_turn(db: AsyncSession, turn: Turn, *, due_at: datetime) -> None:
    await db.execute(
        _of(turn).values(leased_until=None, due_at=due_at, failures=0, last_error=None)
    )


async def begin_anew(db: AsyncSession) -> None:
    """The neighbours have forgotten what they had said: read as if for the first time."""
    await db.execute(delete(FollowedFeed))


async def turn_failed(db: AsyncSession, turn: Turn, error: str, *, now: datetime) -> None:
    """Later again, from where the reading had come to."""
    wait = AFTER_FAILURES[min(turn.failures, len(AFTER_FAILURES) - 1)]
    await db.execute(
        _of(turn).values(
            leased_until=None,
            due_at=now + wait,
            failures=turn.failures + 1,
            last_error=error[:200],
        )
    )


def _of(turn: Turn) -> Update:
    return update(FollowedFeed).where(
        FollowedFeed.name == turn.name, FollowedFeed.leased_until == turn.until
    )
