"""Which rights a client needs, and keeping a record of each, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue, Tenancy
from app.approvals.models import ScopeAccess
from app.audit.trail import WORKER
from app.clients.models import ClientConfiguration
from app.delegations.answers import Standing, after_event
from app.delegations.asking import state_changed
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import WATCHED_FOR
from app.delegations.queries import DUE_CHANNEL
from app.delegations.rules import Event, State


async def follow(
    db: AsyncSession, client: ClientConfiguration, catalogue: Catalogue, *, now: datetime
) -> None:
    """Have a record of each right that the scopes need which the client asks for now.

    To be called when they may have changed, with the client's row locked. What is no longer
    needed stays as a record; needed again, it begins anew.
    """
    wanted = await _wanted(db, client, catalogue)
    rows = await db.scalars(
        select(Delegation)
        .where(Delegation.client_id == client.client_id)
        .order_by(Delegation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    records = {(row.right, row.giver, row.receiver): row for row in rows}
    for key, delegation in records.items():
        needed = key in wanted
        if not needed and delegation.state != State.NOT_REQUIRED:
            await _end(db, delegation, now)
        elif needed and delegation.state == State.NOT_REQUIRED:
            await _begin_anew(db, delegation, now)
    for right, giver, receiver in wanted:
        if (right, giver, receiver) not in records:
            await _begin(db, client.client_id, right, giver, receiver, now)
    await db.flush()


async def _wanted(
    db: AsyncSession, client: ClientConfiguration, catalogue: Catalogue
) -> list[tuple[str, str, str]]:
    """By right, giver and receiver. An organization need not give itself anything."""
    system = catalogue.systems[client.client_system_id]
    right_of = system.right_of_scope
    scopes = await db.scalars(
        select(ScopeAccess.scope)
        .where(ScopeAccess.client_id == client.client_id, ScopeAccess.position.is_not(None))
        .order_by(ScopeAccess.position)
    )
    rights = dict.fromkeys(right_of[scope] for scope in scopes if scope in right_of)
    receiver = system.supplier_organization_number
    return [
        (right, giver, receiver)
        for right in rights
        for giver in givers(client.tenancy, client.client_id, client.organization_number, catalogue)
        if giver != receiver
    ]


def givers(
    tenancy: Tenancy, client_id: UUID, organization_number: str, catalogue: Catalogue
) -> Sequence[str]:
    """Those on whose behalf the client acts: its own organization, or all that have delegated."""
    if tenancy == Tenancy.SINGLE:
        return [organization_number]
    declared = catalogue.declared_clients.get(client_id)
    entries = declared.delegations if declared else []
    return list(dict.fromkeys(entry.delegator.organization_number for entry in entries))


async def _begin(
    db: AsyncSession, client_id: UUID, right: str, giver: str, receiver: str, now: datetime
) -> None:
    delegation = Delegation(
        id=uuid4(), client_id=client_id, right=right, giver=giver, receiver=receiver, since=now
    )
    db.add(delegation)
    await db.flush()
    db.add(_first_poll(delegation.id, now))
    await _announce(db)


def _first_poll(delegation_id: UUID, now: datetime) -> DelegationPoll:
    """As if somebody waited: whoever made the client does."""
    return DelegationPoll(
        delegation_id=delegation_id,
        due_at=now,
        watched_since=now,
        watched_until=now + WATCHED_FOR,
    )


async def _begin_anew(db: AsyncSession, delegation: Delegation, now: datetime) -> None:
    delegation.request_id = delegation.request_link = None
    unknown = Standing(state=State.UNKNOWN, since=now)
    await state_changed(db, delegation, unknown, actor=WORKER, now=now)
    await db.merge(_first_poll(delegation.id, now))
    await _announce(db)


async def _end(db: AsyncSession, delegation: Delegation, now: datetime) -> None:
    ended = after_event(delegation.standing, Event.NOT_NEEDED, now)
    await state_changed(db, delegation, ended, actor=WORKER, now=now)
    poll = await db.get_one(DelegationPoll, delegation.id, with_for_update=True)
    poll.leased_until = None  # what is being asked just now is asked of something else
    poll.due_at = None if delegation.request_id is None else now
    await _announce(db)


async def _announce(db: AsyncSession) -> None:
    await db.execute(select(func.pg_notify(DUE_CHANNEL, "")))
