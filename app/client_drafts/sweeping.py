"""What becomes of drafts without anybody asking: they expire, and some day they are removed."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import OnboardingTokenVersion
from app.audit.trail import WORKER, Happened, record
from app.changes.models import ClientChanges
from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import READABLE_AFTER_DECISION, TRANSITIONS, DraftEvent, DraftStatus
from app.client_drafts.use_cases import lapse
from app.clients.models import ClientConfiguration
from app.database import Sessions
from app.delegations.models import Delegation
from app.organizations.models import Organization
from app.state_machine import next_state

BATCH = 500
ORGANIZATION_KEPT = timedelta(days=90)
"""Longer than a draft lives whose page names its sub-units."""


async def expire_drafts(sessions: Sessions, *, now: datetime) -> bool:
    """Write down that one draft has expired, and tell those who wait. False when none has."""
    async with sessions.begin() as db:
        draft = await db.scalar(
            select(ClientDraft)
            .where(ClientDraft.status == DraftStatus.PENDING, ClientDraft.expires_at <= now)
            .order_by(ClientDraft.expires_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if draft is None:
            return False
        draft.status = next_state(TRANSITIONS, draft.status, DraftEvent.EXPIRE)
        record(db, Happened.DRAFT_EXPIRED, actor=WORKER, subject=draft.client_id, at=now)
        await client_changed(db, draft.client_id)
    return True


async def next_draft_to_expire(sessions: Sessions, after: datetime) -> datetime | None:
    soonest = select(func.min(ClientDraft.expires_at)).where(
        ClientDraft.status == DraftStatus.PENDING, ClientDraft.expires_at > after
    )
    async with sessions() as db:
        return await db.scalar(soonest)


async def lapse_confirmations(sessions: Sessions, *, now: datetime) -> bool:
    """Write down that nobody has activated one confirmed draft in time. False when none is due."""
    async with sessions.begin() as db:
        draft = await db.scalar(
            select(ClientDraft)
            .where(
                ClientDraft.status == DraftStatus.AWAITING_ACTIVATION,
                ClientDraft.activation_until <= now,
            )
            .order_by(ClientDraft.activation_until)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if draft is None:
            return False
        draft.status = next_state(TRANSITIONS, draft.status, DraftEvent.LAPSE)
        await lapse(db, draft, now)
    return True


async def next_confirmation_to_lapse(sessions: Sessions, after: datetime) -> datetime | None:
    soonest = select(func.min(ClientDraft.activation_until)).where(
        ClientDraft.status == DraftStatus.AWAITING_ACTIVATION, ClientDraft.activation_until > after
    )
    async with sessions() as db:
        return await db.scalar(soonest)


async def sweep_drafts(sessions: Sessions, *, now: datetime) -> bool:
    """Remove drafts that have been readable for long enough; what happened stays in the trail."""
    # One that nobody decided was over when it expired.
    over_since = func.coalesce(ClientDraft.decided_at, ClientDraft.expires_at)
    old = (
        select(ClientDraft.client_id)
        .where(ClientDraft.status != DraftStatus.PENDING)
        .where(over_since < now - READABLE_AFTER_DECISION)
        # In the index's order: it is used whatever the planner takes for the number of them.
        .order_by(over_since)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    each = any_(func.array(old, type_=ARRAY(Uuid)))
    async with sessions.begin() as db:
        removed = await db.execute(
            delete(ClientDraft)
            .where(ClientDraft.client_id == each)
            .returning(ClientDraft.client_id)
        )
        gone = list(removed.scalars())
        await _forget(db, gone)
    return len(gone) == BATCH


async def _forget(db: AsyncSession, draft_ids: list[UUID]) -> None:
    """What is kept beside a draft, where no client has come of it that goes on using it."""
    of_client = exists().where(ClientConfiguration.client_id == OnboardingTokenVersion.client_id)
    await db.execute(
        delete(OnboardingTokenVersion).where(
            OnboardingTokenVersion.client_id.in_(draft_ids), ~of_client
        )
    )
    of_client = exists().where(ClientConfiguration.client_id == ClientChanges.client_id)
    await db.execute(
        delete(ClientChanges).where(ClientChanges.client_id.in_(draft_ids), ~of_client)
    )


async def sweep_organizations(sessions: Sessions, *, now: datetime) -> bool:
    """Forget what the register said of those whom nobody has asked about for long.

    A draft may name any number there is, so this would grow without end.
    """
    number = Organization.organization_number
    unused = (
        select(number)
        .where(
            Organization.checked_at < now - ORGANIZATION_KEPT,
            Organization.mark.is_(None),
            ~exists().where(ClientConfiguration.organization_number == number),
            ~exists().where(ClientDraft.organization_number == number),
            ~exists().where(Delegation.giver == number),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    async with sessions.begin() as db:
        removed = await db.execute(delete(Organization).where(number.in_(unused)).returning(number))
        count = len(removed.all())
    return count == BATCH
