"""Giving a draft that nobody has confirmed more time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.audit.trail import Actor, Happened, record
from app.changes.queries import VersionCheck, check_version, client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_to_decide
from app.client_drafts.rules import (
    MOST_LENGTHENINGS,
    TRANSITIONS,
    DraftEvent,
    DraftNotFound,
    DraftOutdated,
    LengthenedTooOften,
)
from app.client_drafts.validity import draft_life
from app.settings import Settings
from app.state_machine import next_state


async def lengthen_client_draft(
    db: AsyncSession,
    client_id: UUID,
    *,
    catalogue: Catalogue,
    settings: Settings,
    actor: Actor,
    has_seen: VersionCheck,
    now: datetime,
) -> ClientDraft:
    """A whole life from now on, whether the draft's time is over or not.

    What it has left is not added: asking twice gives no more time than asking once.
    """
    async with db.begin():
        draft = await draft_to_decide(db, client_id)
        if draft is None:
            raise DraftNotFound
        await check_version(db, client_id, has_seen)
        following = next_state(TRANSITIONS, draft.status_at(now), DraftEvent.LENGTHEN)
        if draft.lengthened >= MOST_LENGTHENINGS:
            raise LengthenedTooOften
        if draft.client_system_id not in catalogue.systems:
            raise DraftOutdated("Its client system is no longer in the catalogue.")
        life = draft_life(settings, catalogue, draft.client_system_id, draft.organization_number)
        draft.status = following
        draft.expires_at = max(draft.expires_at, now + life)
        draft.lengthened += 1
        record(db, Happened.DRAFT_LENGTHENED, actor=actor, subject=client_id, at=now)
        await client_changed(db, client_id)
    return draft
