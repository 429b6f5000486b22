"""Decisions that wait for an answer of Altinn's or Enhetsregisteret's, and links passed on."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import EndUser
from app.access.person_numbers import PersonNumber, sealed
from app.apis.catalogue import Catalogue
from app.audit.trail import Happened, record
from app.changes.queries import client_changed
from app.client_drafts.models import ParkedDecision
from app.client_drafts.noting import visited
from app.client_drafts.queries import draft_to_decide
from app.client_drafts.rules import (
    LEAST_PAUSE,
    LEAST_TO_ACT,
    DraftEvent,
    DraftStatus,
    LastVisit,
    wait_before_asking,
)
from app.client_drafts.use_cases import Decided, await_activation, decided_draft
from app.client_drafts.validity import needs_activation
from app.database import leased_row
from app.settings import Settings

LEASE = timedelta(seconds=30)


async def park_client_draft(
    db: AsyncSession,
    user: EndUser,
    client_id: UUID,
    *,
    person: PersonNumber | None,
    contact_email: str | None,
    catalogue: Catalogue,
    settings: Settings,
    now: datetime,
) -> Decided:
    """Keep a person's yes until it can be known whether he may say it."""
    async with db.begin():
        draft = await decided_draft(
            db, client_id, DraftEvent.PARK, pseudonym=user.pseudonym, now=now
        )
        kept = (
            sealed(person, secret_key=settings.secret_key, bound_to=client_id.bytes)
            if person
            else None
        )
        db.add(
            ParkedDecision(
                client_id=client_id,
                pseudonym=user.pseudonym,
                security_level=user.security_level,
                sealed_person_number=kept,
                contact_email=contact_email,
                parked_at=now,
                due_at=now + settings.scaled(wait_before_asking(0, 0.5), least=LEAST_PAUSE),
            )
        )
        record(db, Happened.DRAFT_PARKED, actor=user.actor, subject=client_id, at=now)
        if needs_activation(draft, catalogue):
            await await_activation(db, draft, contact_email, settings, now)
        else:
            await client_changed(db, client_id)
    return Decided(draft)


async def pass_on_client_draft(
    db: AsyncSession,
    user: EndUser,
    client_id: UUID,
    *,
    catalogue: Catalogue,
    settings: Settings,
    now: datetime,
) -> None:
    """Note that somebody without the right asks others to decide, which gives them time."""
    async with db.begin():
        draft = await draft_to_decide(db, client_id)
        if draft is None:
            return
        if draft.status_at(now) is not DraftStatus.PENDING:
            return
        first = draft.escalated_at is None
        if first:
            draft.escalated_at = now
        system = catalogue.systems.get(draft.client_system_id)
        if system is not None:
            life = settings.scaled(timedelta(hours=system.passed_on_life_hours), least=LEAST_TO_ACT)
            draft.expires_at = max(draft.expires_at, draft.created_at + life)
        if first:
            record(db, Happened.DRAFT_PASSED_ON, actor=user.actor, subject=client_id, at=now)
        if visited(draft, LastVisit.PASSED_ON, now) or first:
            await client_changed(db, client_id)


async def leased_decision(db: AsyncSession, *, now: datetime) -> ParkedDecision | None:
    """The parked decision that has been due longest, which nobody else gets for a while."""
    return await leased_row(db, ParkedDecision, ParkedDecision.due_at <= now, lasting=LEASE)


async def asked_in_vain(db: AsyncSession, parked: ParkedDecision, *, due_at: datetime) -> None:
    """Nothing is certain yet: ask again."""
    await db.execute(
        update(ParkedDecision)
        .where(
            ParkedDecision.client_id == parked.client_id,
            # Whoever has the lease now has asked since, or is about to.
            ParkedDecision.leased_until == parked.leased_until,
        )
        .values(
            attempts=ParkedDecision.attempts + 1,
            due_at=due_at,
            leased_until=None,
        )
    )
