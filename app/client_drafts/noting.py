"""Noting how people who come to a draft get on, so that whoever waits can be told. Not who."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_to_decide
from app.client_drafts.rules import DraftStatus, LastVisit, visit_after


async def note_visit(db: AsyncSession, client_id: UUID, visit: LastVisit, *, now: datetime) -> None:
    """Only what is new is written, and only of a draft that waits for somebody."""
    async with db.begin():
        draft = await draft_to_decide(db, client_id)
        if draft is None or draft.status_at(now) is not DraftStatus.PENDING:
            return
        if visited(draft, visit, now):
            await client_changed(db, client_id)


def visited(draft: ClientDraft, visit: LastVisit, now: datetime) -> bool:
    """Put the visit into the locked draft; whether that says something new."""
    after = visit_after(draft.last_visit, visit)
    if after is draft.last_visit:
        return False
    draft.last_visit, draft.last_visit_at = after, now
    return True
