"""What happens to keys without anybody asking: the issuer learns of them, and they end."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import WORKER, Happened, record
from app.changes.queries import client_changed
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE, TRANSITIONS, KeyEvent, KeyState, due_end
from app.database import Sessions
from app.publications.queries import want_publication
from app.state_machine import next_state


async def keys_published(
    db: AsyncSession, client_id: UUID, thumbprints: Sequence[str], *, now: datetime
) -> bool:
    """The issuer knows these keys: those that waited for it can be used. Whether any did."""
    waiting = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id, ClientKey.state == KeyState.ACTIVATING)
        .where(ClientKey.thumbprint.in_(thumbprints))
        .order_by(ClientKey.thumbprint)
        .with_for_update()
    )
    activated = waiting.all()
    for key in activated:
        key.state = next_state(TRANSITIONS, key.state, KeyEvent.PUBLISHED)
        key.active_at = now
    if activated:
        await client_changed(db, client_id)
    return bool(activated)


async def end_keys(sessions: Sessions, *, now: datetime) -> bool:
    """End one key whose time is over. False when there is none."""
    async with sessions.begin() as db:
        key = await db.scalar(_key_to_end(now))
        if key is None:
            return False
        before = key.state
        event = due_end(before, key.expires_at, key.retires_at, now)
        assert event is not None  # or it would not have been found
        key.state = next_state(TRANSITIONS, before, event)
        record(
            db,
            Happened.KEY_ENDED,
            actor=WORKER,
            subject=key.client_id,
            at=now,
            key=key.thumbprint,
            before=before,
            after=key.state,
        )
        await client_changed(db, key.client_id)
        await want_publication(db, key.client_id)
    return True


async def next_key_to_end(sessions: Sessions, after: datetime) -> datetime | None:
    expiry = func.min(ClientKey.expires_at).filter(ClientKey.expires_at > after)
    end_of_grace = func.min(ClientKey.retires_at).filter(
        ClientKey.retires_at > after, ClientKey.state == KeyState.RETIRING
    )
    soonest = select(func.least(expiry, end_of_grace)).where(ClientKey.state.in_(LIVE))
    async with sessions() as db:
        return await db.scalar(soonest)


def _key_to_end(now: datetime) -> Select[ClientKey]:
    expired = and_(ClientKey.state.in_(LIVE), ClientKey.expires_at <= now)
    grace_over = and_(ClientKey.state == KeyState.RETIRING, ClientKey.retires_at <= now)
    return (
        select(ClientKey)
        .where(or_(expired, grace_over))
        .order_by(ClientKey.thumbprint)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
