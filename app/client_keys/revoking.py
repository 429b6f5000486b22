"""Ending a key at once, by the operator's word: somebody has it who should not."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.client_keys.queries import live_keys_to_change
from app.client_keys.rules import TRANSITIONS, KeyEvent, KeyNotFound
from app.publications.queries import want_publication
from app.state_machine import next_state


async def revoke_key(
    db: AsyncSession,
    client_id: UUID,
    thumbprint: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> int:
    """Refused here from now on, and at the issuer once it has been told; the last key too.

    Answers the version that the issuer has to know.
    """
    async with db.begin():
        keys = await live_keys_to_change(db, client_id)
        key = next((key for key in keys if key.thumbprint == thumbprint), None)
        if key is None:
            raise KeyNotFound
        key.state = next_state(TRANSITIONS, key.state, KeyEvent.REVOKE)
        details = {"reason": reason} if reason else {}
        record(
            db,
            Happened.KEY_REVOKED,
            actor=actor,
            subject=client_id,
            at=now,
            key=thumbprint,
            **details,
        )
        await client_changed(db, client_id)
        return await want_publication(db, client_id)
