"""What the register says of an organization, kept with all that follows for its clients."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.delegations.answers import after_event
from app.delegations.asking import state_changed
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.rules import Event, State
from app.organizations.models import Organization
from app.organizations.queries import answer_kept
from app.organizations.register import MARKS, Mark, RegisterEntry, Verdict
from app.publications.queries import want_publication

REGISTER = Actor(name="enhetsregisteret")


async def register_said(
    db: AsyncSession, number: str, entry: RegisterEntry, *, now: datetime
) -> None:
    """In the caller's transaction.

    The clients of an organization that can no longer act are marked and go on: what they are
    still given is Altinn's to say, which is asked at once.
    """
    await db.execute(answer_kept(number, entry, now))
    if entry.verdict == Verdict.UNKNOWN_NUMBER:
        return  # the register forgets nobody: this is a hitch, and no news
    organization = await db.get_one(
        Organization, number, with_for_update=True, populate_existing=True
    )
    if entry.name is not None:
        await _rename(db, number, entry.name, now)
    mark = MARKS.get(entry.verdict)
    if mark == organization.mark:
        return
    organization.mark, organization.marked_at = mark, now
    await _move_delegations(db, number, mark, now)
    await _tell_clients(db, number, mark, now)


async def _rename(db: AsyncSession, number: str, name: str, now: datetime) -> None:
    """A catalogue may write the name of a client that it declares in other letters."""
    is_other = func.lower(ClientConfiguration.organization_name) != name.lower()
    renamed = await db.scalars(
        update(ClientConfiguration)
        .where(ClientConfiguration.organization_number == number, _IS_OPEN, is_other)
        .values(organization_name=name)
        .returning(ClientConfiguration.client_id)
    )
    for client_id in renamed.all():
        record(
            db,
            Happened.ORGANIZATION_RENAMED,
            actor=REGISTER,
            subject=client_id,
            at=now,
            organization=number,
            name=name,
        )
        await client_changed(db, client_id)
        await want_publication(db, client_id)


async def _move_delegations(
    db: AsyncSession, number: str, mark: Mark | None, now: datetime
) -> None:
    event = Event.ORGANIZATION_FREE if mark is None else Event.ORGANIZATION_BLOCKED
    rows = await db.scalars(
        select(Delegation)
        .where(Delegation.giver == number, Delegation.state != State.NOT_REQUIRED)
        .order_by(Delegation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for delegation in rows.all():
        poll = await db.get_one(DelegationPoll, delegation.id, with_for_update=True)
        # Who is asking just now does not know of this yet.
        poll.leased_until, poll.due_at = None, now
        after = after_event(delegation.standing, event, now)
        await state_changed(db, delegation, after, actor=REGISTER, now=now)


async def _tell_clients(db: AsyncSession, number: str, mark: Mark | None, now: datetime) -> None:
    for client_id in await _clients_of(db, number):
        details = {"organization": number} | ({} if mark is None else {"mark": mark.value})
        record(
            db,
            Happened.ORGANIZATION_UNMARKED if mark is None else Happened.ORGANIZATION_MARKED,
            actor=REGISTER,
            subject=client_id,
            at=now,
            **details,
        )
        await client_changed(db, client_id)


async def _clients_of(db: AsyncSession, number: str) -> Sequence[UUID]:
    rows = await db.scalars(
        select(ClientConfiguration.client_id)
        .where(ClientConfiguration.organization_number == number, _IS_OPEN)
        .order_by(ClientConfiguration.client_id)
    )
    return rows.all()


_IS_OPEN = ClientConfiguration.status != ClientStatus.CLOSED
