"""Whether the client that calls may do something now, where nothing else is asked with it."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingClient
from app.client_keys.models import ClientKey
from app.client_keys.queries import standing_of
from app.client_keys.rules import is_seen_anew
from app.clients.standing import check_standing


async def check_caller(
    db: AsyncSession, caller: CallingClient, *, seen_at: datetime | None = None
) -> None:
    """Refuse a client that is stopped, or that signs with a key of its own that has ended.

    With `seen_at` it is kept that the key is in use, once the open transaction commits. Not
    where rows are locked next that others lock before a key's: two such would wait for each other.
    """
    standing = await standing_of(db, caller.client_id, caller.key_thumbprint)
    check_standing(standing[0] if standing else None, key_has_ended=bool(standing and standing[1]))
    assert standing is not None  # or it would have been refused
    _, _, own_key, used_at = standing
    if seen_at is not None and own_key is not None and is_seen_anew(used_at, seen_at):
        await db.execute(
            update(ClientKey).where(ClientKey.thumbprint == own_key).values(last_used_at=seen_at)
        )
