"""A new key for an installation that has lost its own: the client stays what it is.

Nothing changes before a person with the right has confirmed. When the old key has been seen
lately, the installation may not be lost at all: then the exchange waits for a day, and whoever
it concerns can stop it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.audit.trail import WORKER, Actor, Happened, record
from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import is_registered
from app.client_drafts.registering import key_may_be_taken, register_key
from app.client_drafts.rules import (
    EXCHANGED_AFTER,
    SEEN_LATELY,
    TRANSITIONS,
    DeclineReason,
    DraftEvent,
    DraftOutdated,
    DraftStatus,
    is_seen_lately,
)
from app.client_drafts.telling import tell_of_replaced_keys, tell_of_waiting_keys
from app.client_keys.models import ClientKey
from app.client_keys.queries import live_keys_to_change
from app.client_keys.rules import TRANSITIONS as KEY_TRANSITIONS
from app.client_keys.rules import KeyEvent, KeyTaken
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Sessions
from app.publications.queries import want_publication
from app.settings import Settings
from app.state_machine import next_state


async def replace_keys(
    db: AsyncSession, draft: ClientDraft, catalogue: Catalogue, settings: Settings, now: datetime
) -> int | None:
    """What a confirmed draft for another key leads to: the exchange, now or after a day.

    Returns the version that the token issuer has to know; None: nothing has changed yet.
    """
    client, keys = await _locked(db, draft)
    if await waiting_exchange(db, client.client_id) is not None:
        raise DraftOutdated("Another new key for this client is waiting.", not_replaceable=True)
    if not is_seen_lately([key.last_used_at for key in keys], now, settings.scaled(SEEN_LATELY)):
        return await _exchange(db, draft, client, keys, catalogue, settings, now)
    draft.status = next_state(TRANSITIONS, draft.status, DraftEvent.DELAY)
    draft.exchange_at = now + settings.scaled(EXCHANGED_AFTER)
    record(
        db,
        Happened.REPLACEMENT_DELAYED,
        actor=Actor(f"person:{draft.decided_by}"),
        subject=client.client_id,
        at=now,
        draft=str(draft.client_id),
    )
    tell_of_waiting_keys(db, draft, client, catalogue, now)
    await _changed(db, draft)
    return None


async def _locked(
    db: AsyncSession, draft: ClientDraft
) -> tuple[ClientConfiguration, list[ClientKey]]:
    """The client and its live keys, if they can be replaced by the draft's."""
    keys = await live_keys_to_change(db, draft.final_client_id)
    client = await db.get(ClientConfiguration, draft.final_client_id, populate_existing=True)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise DraftOutdated("The client is blocked or closed.", not_replaceable=True)
    kid = draft.public_key.kid
    same_kid = select(func.count()).where(
        ClientKey.client_id == client.client_id, ClientKey.kid == kid
    )
    if await db.scalar(same_kid):
        raise DraftOutdated("The client has had a key with the same kid.", not_replaceable=True)
    return client, keys


async def _exchange(
    db: AsyncSession,
    draft: ClientDraft,
    client: ClientConfiguration,
    keys: list[ClientKey],
    catalogue: Catalogue,
    settings: Settings,
    now: datetime,
) -> int:
    for key in keys:
        key.state = next_state(KEY_TRANSITIONS, key.state, KeyEvent.REVOKE)
    register_key(db, draft, settings, now)
    record(
        db,
        Happened.KEYS_REPLACED,
        actor=Actor(f"person:{draft.decided_by}"),
        subject=client.client_id,
        at=now,
        draft=str(draft.client_id),
        key=draft.public_key.thumbprint,
    )
    await tell_of_replaced_keys(db, draft, client, catalogue, now)
    await _changed(db, draft)
    return await want_publication(db, client.client_id)


async def _changed(db: AsyncSession, draft: ClientDraft) -> None:
    for client_id in (draft.final_client_id, draft.client_id):
        await client_changed(db, client_id)


async def exchange_due(
    sessions: Sessions, catalogue: Catalogue, settings: Settings, *, now: datetime
) -> bool:
    """Carry out one exchange whose day is over and that nobody has stopped. False: none is due."""
    async with sessions() as db:
        due = await db.scalar(
            select(ClientDraft.client_id)
            .where(
                ClientDraft.status == DraftStatus.AWAITING_EXCHANGE, ClientDraft.exchange_at <= now
            )
            .order_by(ClientDraft.exchange_at)
            .limit(1)
        )
    if due is None:
        return False
    try:
        await _exchange_one(sessions, due, catalogue, settings, now)
    except DraftOutdated:
        await _refuse(sessions, due, DeclineReason.NO_LONGER_OFFERED, now)
    except KeyTaken:
        await _refuse(sessions, due, DeclineReason.KEY_TAKEN, now)
    return True


async def _exchange_one(
    sessions: Sessions, draft_id: UUID, catalogue: Catalogue, settings: Settings, now: datetime
) -> None:
    with key_may_be_taken():
        async with sessions.begin() as db:
            draft = await waiting_draft(db, draft_id)
            if draft is None:
                return  # stopped, or carried out by another worker, a moment ago
            if await is_registered(db, draft.public_key.thumbprint):
                raise KeyTaken
            client, keys = await _locked(db, draft)
            draft.status = next_state(TRANSITIONS, draft.status, DraftEvent.EXCHANGE)
            await _exchange(db, draft, client, keys, catalogue, settings, now)


async def _refuse(sessions: Sessions, draft_id: UUID, reason: DeclineReason, now: datetime) -> None:
    async with sessions.begin() as db:
        draft = await waiting_draft(db, draft_id)
        if draft is not None:
            await end_waiting(db, draft, DraftEvent.REFUSE, reason)
            record(
                db,
                Happened.DRAFT_REFUSED,
                actor=WORKER,
                subject=draft_id,
                at=now,
                reason=reason,
            )


async def end_waiting(
    db: AsyncSession, draft: ClientDraft, event: DraftEvent, reason: DeclineReason
) -> None:
    draft.status = next_state(TRANSITIONS, draft.status, event)
    draft.decline_reason = reason
    await _changed(db, draft)


async def waiting_draft(db: AsyncSession, draft_id: UUID) -> ClientDraft | None:
    draft = await db.get(ClientDraft, draft_id, with_for_update=True, populate_existing=True)
    waits = draft is not None and draft.status is DraftStatus.AWAITING_EXCHANGE
    return draft if waits else None


async def waiting_exchange(db: AsyncSession, client_id: UUID) -> ClientDraft | None:
    """The draft whose key is to take over the client; there is one at most."""
    return await db.scalar(
        select(ClientDraft).where(
            ClientDraft.replaces_keys_of == client_id,
            ClientDraft.status == DraftStatus.AWAITING_EXCHANGE,
        )
    )


async def next_exchange_due(sessions: Sessions, after: datetime) -> datetime | None:
    soonest = select(func.min(ClientDraft.exchange_at)).where(
        ClientDraft.status == DraftStatus.AWAITING_EXCHANGE, ClientDraft.exchange_at > after
    )
    async with sessions() as db:
        return await db.scalar(soonest)
