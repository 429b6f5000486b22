"""A key that somebody has registered whose it is not.

A public key is no secret: whoever has seen one can register it for a client of his own, and its
owner would be refused. So who shows to hold a key wins over who never has. What is never taken: a
key that has been used or has leaked (all who hold it are alike), and another client's last usable
key, lest a program that gives two clients one key cuts off the first of them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingClient
from app.access.public_jwk import PublicKey
from app.audit.trail import Happened, record
from app.changes.queries import client_changed
from app.client_keys.calling import check_caller
from app.client_keys.models import ClientKey
from app.client_keys.queries import live_keys_to_change
from app.client_keys.retiring import can_log_in_without
from app.client_keys.rules import LIVE
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Sessions
from app.publications.queries import want_publication


async def take_over(
    sessions: Sessions, caller: CallingClient, key: PublicKey, *, now: datetime
) -> bool:
    """Free a key that the caller has shown to hold. False when it stays where it is."""
    async with sessions.begin() as db:
        await check_caller(db, caller)
        registered = select(ClientKey.client_id).where(ClientKey.thumbprint == key.thumbprint)
        owner = await db.scalar(registered)
        if owner is None:
            return True
        if owner == caller.client_id:
            return False
        keys = await live_keys_to_change(db, owner)
        claimed = await db.get(ClientKey, key.thumbprint, with_for_update=True)
        if claimed is None or claimed.client_id != owner:
            return True
        if not await _may_be_taken(db, claimed, keys, now):
            return False
        await db.delete(claimed)
        record(
            db,
            Happened.KEY_TAKEN_OVER,
            actor=caller.actor,
            subject=owner,
            at=now,
            key=key.thumbprint,
        )
        await client_changed(db, owner)
        await want_publication(db, owner)
    return True


async def _may_be_taken(
    db: AsyncSession, claimed: ClientKey, keys: Sequence[ClientKey], now: datetime
) -> bool:
    if claimed.last_used_at is not None or claimed.leaked_at is not None:
        return False
    if claimed.state not in LIVE or can_log_in_without(claimed, keys, until=now):
        return True
    owner = await db.get_one(ClientConfiguration, claimed.client_id)
    return owner.status == ClientStatus.CLOSED
