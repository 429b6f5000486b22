"""Raising the counter of what a reader of a client can see, and telling those who wait."""

from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.changes.models import ClientChanges

CHANNEL = "client_changed"

VersionCheck: TypeAlias = Callable[[int], None]
"""Refuses who has not seen the version that a change is made of."""
_CHECK = "version_check"


def counter_raised(client_id: UUID | ColumnElement[UUID]) -> Insert:
    """One more change of this client, as a statement or as part of one."""
    return (
        insert(ClientChanges)
        .values(client_id=client_id, counter=1)
        .on_conflict_do_update(
            index_elements=[ClientChanges.client_id],
            set_={"counter": ClientChanges.counter + 1},
        )
    )


async def counter_of(db: AsyncSession, client_id: UUID) -> int:
    """To be asked for before what it is the version of, where one statement does not read both:
    what changes in between is then told twice, and never missed."""
    counter = await db.scalar(
        select(ClientChanges.counter).where(ClientChanges.client_id == client_id)
    )
    return counter or 0


async def check_version(db: AsyncSession, client_id: UUID, check: VersionCheck) -> None:
    """Have `check` judge the version now, and the one that this transaction will change.

    Between the two somebody else may commit, since not all who raise the counter lock the
    client. Raising it locks it, so the second judgement holds.
    """
    check(await counter_of(db, client_id))
    db.info[_CHECK] = client_id, check


async def every_client_may_have_changed(db: AsyncSession) -> None:
    """Whoever waits looks again once the open transaction commits. No counter is raised."""
    await db.execute(select(func.pg_notify(CHANNEL, "")))


async def client_changed(db: AsyncSession, client_id: UUID) -> None:
    """A reader of this client sees something new once the open transaction commits."""
    raised = await db.scalar(counter_raised(client_id).returning(ClientChanges.counter))
    judged, check = db.info.get(_CHECK, (None, None))
    if check is not None and judged == client_id:
        del db.info[_CHECK]
        check((raised or 1) - 1)
    await db.execute(select(func.pg_notify(CHANNEL, str(client_id))))
