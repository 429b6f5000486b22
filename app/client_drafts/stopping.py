"""Stopping an exchange of keys that waits, by whoever has the old keys or was told of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingClient
from app.audit.trail import Actor, Happened, record
from app.changes.queries import VersionCheck, check_version, counter_of
from app.client_drafts.models import ClientDraft
from app.client_drafts.replacement import end_waiting, waiting_draft, waiting_exchange
from app.client_drafts.rules import DeclineReason, DraftEvent, NoReplacement
from app.client_keys.calling import check_caller
from app.database import Sessions


class Waiting(Struct, frozen=True):
    draft: ClientDraft
    counter: int
    """The version of the client whose keys it replaces."""


async def own_replacement(sessions: Sessions, caller: CallingClient, *, now: datetime) -> Waiting:
    """What is to become of the caller's own keys."""
    async with sessions.begin() as db:
        counter = await counter_of(db, caller.client_id)
        await check_caller(db, caller, seen_at=now)
        draft = await waiting_exchange(db, caller.client_id)
    if draft is None:
        raise NoReplacement  # after it has been kept that the key is in use
    return Waiting(draft, counter)


async def stop_own_replacement(
    sessions: Sessions, caller: CallingClient, *, has_seen: VersionCheck, now: datetime
) -> None:
    async with sessions.begin() as db:
        await check_caller(db, caller)
        draft = await waiting_exchange(db, caller.client_id)
        if draft is None:
            raise NoReplacement
        await check_version(db, caller.client_id, has_seen)
        await _stop(db, draft.client_id, caller.actor, now)


async def stop_replacement(
    sessions: Sessions, draft_id: UUID, actor: Actor, *, now: datetime
) -> None:
    """The same for whoever has been told of it."""
    async with sessions.begin() as db:
        await _stop(db, draft_id, actor, now)


async def _stop(db: AsyncSession, draft_id: UUID, actor: Actor, now: datetime) -> None:
    """Let an exchange that waits never happen."""
    draft = await waiting_draft(db, draft_id)
    if draft is None:
        raise NoReplacement
    await end_waiting(db, draft, DraftEvent.STOP, DeclineReason.STOPPED)
    record(
        db,
        Happened.REPLACEMENT_STOPPED,
        actor=actor,
        subject=draft.final_client_id,
        at=now,
        draft=str(draft_id),
    )
