"""Asking again about parked decisions, until each is confirmed or has ended.

The worker's. No transaction is open while a neighbour is asked; whoever comes back with an
answer finds the draft locked or decided by then, and only the first answer counts.
"""

import random
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.person_numbers import unsealed
from app.access.person_rights import PersonRights
from app.apis.catalogue import Catalogue
from app.apis.queries import Catalogues
from app.audit.trail import WORKER, Actor, Happened, record
from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft, ParkedDecision
from app.client_drafts.parking import asked_in_vain, leased_decision
from app.client_drafts.queries import draft_of
from app.client_drafts.registering import key_may_be_taken
from app.client_drafts.rights import Decider, MayDecide, may_decide
from app.client_drafts.rules import (
    LEAST_PAUSE,
    SURE_OF_NO_AFTER,
    URGENT_FOR,
    VERIFIED_WITHIN,
    DeclineReason,
    DraftEvent,
    DraftNotFound,
    DraftOutdated,
    wait_before_asking,
)
from app.client_drafts.use_cases import (
    decide,
    decided_draft,
    draft_in_force,
    lapse,
    make_client,
)
from app.client_drafts.validity import needs_activation
from app.client_keys.rules import KeyTaken
from app.database import Sessions
from app.organizations.register import Register
from app.organizations.use_cases import organization_of
from app.settings import Settings
from app.state_machine import WrongState


class Verifier(Struct, frozen=True):
    """What it takes to find out."""

    sessions: Sessions
    catalogues: Catalogues
    register: Register
    person_rights: PersonRights | None
    settings: Settings


ASKED_AGAIN_FOR = {
    MayDecide.UNKNOWN: VERIFIED_WITHIN,
    MayDecide.NO: SURE_OF_NO_AFTER,
    MayDecide.WEAK_LOGIN: timedelta(0),  # the login stays what it was
}


async def verify_one(verifier: Verifier, *, now: datetime) -> bool:
    """Ask about the parked decision that has been due longest. False when none is due."""
    async with verifier.sessions.begin() as db:
        parked = await leased_decision(db, now=now)
    if parked is None:
        return False
    # Another worker's answer may have come first.
    with suppress(WrongState, DraftNotFound):
        await _settle(verifier, parked, await _answer(verifier, parked, now), now)
    return True


async def next_verification_due(sessions: Sessions, after: datetime) -> datetime | None:
    due = func.min(ParkedDecision.due_at)
    async with sessions() as db:
        return await db.scalar(select(due).where(ParkedDecision.due_at > after))


async def _answer(verifier: Verifier, parked: ParkedDecision, now: datetime) -> MayDecide:
    async with verifier.sessions() as db:
        draft = await draft_of(db, parked.client_id)
    if draft is None:
        raise DraftNotFound
    found = await organization_of(
        verifier.sessions, verifier.register, draft.organization_number, now=now
    )
    if found is None:
        return MayDecide.UNKNOWN
    kept = parked.sealed_person_number
    secret_key = verifier.settings.secret_key
    bound_to = parked.client_id.bytes
    person = unsealed(kept, secret_key=secret_key, bound_to=bound_to) if kept else None
    return await may_decide(
        verifier.person_rights,
        await verifier.catalogues.in_force(),
        Decider(person, parked.security_level),
        draft.organization_number,
        urgent=now < parked.parked_at + URGENT_FOR,
    )


async def _settle(
    verifier: Verifier, parked: ParkedDecision, answer: MayDecide, now: datetime
) -> None:
    scaled = verifier.settings.scaled
    if answer is MayDecide.YES:
        await _confirm(verifier, parked, now)
    elif now < (last := parked.parked_at + scaled(ASKED_AGAIN_FOR[answer])):
        jitter = random.random()  # noqa: S311  # it guards no secret
        wait = scaled(wait_before_asking(parked.attempts + 1, jitter), least=LEAST_PAUSE)
        due_at = min(now + wait, last)
        async with verifier.sessions.begin() as db:
            await asked_in_vain(db, parked, due_at=due_at)
    else:
        known = answer is not MayDecide.UNKNOWN
        reason = DeclineReason.NO_RIGHT if known else DeclineReason.NOT_VERIFIED
        await _refuse(verifier, parked, reason, now)


async def _confirm(verifier: Verifier, parked: ParkedDecision, now: datetime) -> None:
    try:
        await _make_client(verifier, parked, now)
    except KeyTaken:
        await _refuse(verifier, parked, DeclineReason.KEY_TAKEN, now)
    except DraftOutdated as why:
        refused = why.organization_refused
        reason = DeclineReason.ORGANIZATION_REFUSED if refused else DeclineReason.NO_LONGER_OFFERED
        await _refuse(verifier, parked, reason, now)


async def _make_client(verifier: Verifier, parked: ParkedDecision, now: datetime) -> None:
    catalogue = await verifier.catalogues.in_force()
    with key_may_be_taken():
        async with verifier.sessions.begin() as db:
            draft = await draft_in_force(db, parked.client_id, now=now)
            event = _verified(draft, catalogue, now)
            decide(draft, event, pseudonym=parked.pseudonym, now=now)
            actor = Actor(f"person:{parked.pseudonym}")
            record(db, Happened.DRAFT_CONFIRMED, actor=actor, subject=draft.client_id, at=now)
            if event is DraftEvent.VERIFY:
                await make_client(
                    db,
                    draft,
                    catalogue=catalogue,
                    settings=verifier.settings,
                    contact_email=parked.contact_email,
                    now=now,
                )
            elif event is DraftEvent.LAPSE:
                await lapse(db, draft, now)
            else:
                await client_changed(db, draft.client_id)
            await _forget(db, parked)


def _verified(draft: ClientDraft, catalogue: Catalogue, now: datetime) -> DraftEvent:
    """What a yes of Altinn's means for the draft: the program may have been faster, or too slow."""
    if draft.activated_at is not None or not needs_activation(draft, catalogue):
        return DraftEvent.VERIFY
    until = draft.activation_until
    in_time = until is not None and now < until
    return DraftEvent.AWAIT_ACTIVATION if in_time else DraftEvent.LAPSE


async def _refuse(
    verifier: Verifier, parked: ParkedDecision, reason: DeclineReason, now: datetime
) -> None:
    async with verifier.sessions.begin() as db:
        draft = await decided_draft(
            db, parked.client_id, DraftEvent.REFUSE, pseudonym=parked.pseudonym, now=now
        )
        draft.decline_reason = reason
        record(
            db,
            Happened.DRAFT_REFUSED,
            actor=WORKER,
            subject=parked.client_id,
            at=now,
            reason=reason,
        )
        await _forget(db, parked)
        await client_changed(db, parked.client_id)


async def _forget(db: AsyncSession, parked: ParkedDecision) -> None:
    """The person's number with it."""
    await db.execute(delete(ParkedDecision).where(ParkedDecision.client_id == parked.client_id))
