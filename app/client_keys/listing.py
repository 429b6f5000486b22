"""What a client is told of its keys."""

from datetime import datetime

from asyncpg import Record
from msgspec import UNSET, Struct

from app.access.callers import CallingClient
from app.client_keys.queries import KEYS_OF_CLIENT
from app.client_keys.rules import KeyOrigin, KeyState, RenewalWindow, renewal_window
from app.client_keys.use_cases import checked, note_use
from app.client_keys.wire import ClientSecret
from app.database import Database


class KeyList(Struct, frozen=True):
    keys: list[ClientSecret]
    counter: int


async def keys_of(
    database: Database, caller: CallingClient, *, ended_too: bool, now: datetime
) -> KeyList:
    """The client's keys, oldest first."""
    async with database.reads.acquire() as connection:
        rows = await KEYS_OF_CLIENT.rows(
            connection,
            client_id=caller.client_id,
            proof_thumbprint=caller.key_thumbprint,
            ended_too=ended_too,
        )
        standing = checked(rows[0] if rows else None)
        await note_use(connection, standing, now)
    keys = [_shown(row) for row in rows if row["thumbprint"] is not None]
    return KeyList(keys, standing["counter"] or 0)


def _shown(row: Record) -> ClientSecret:
    return ClientSecret(
        expiration=row["expires_at"],
        kid=row["kid"],
        jwk_thumbprint=row["thumbprint"],
        origin=KeyOrigin(row["origin"]),
        public_jwk=None,
        state=KeyState(row["state"]),
        created_at=row["created_at"],
        active_at=row["active_at"],
        retires_at=row["retires_at"],
        last_used_at=row["last_used_at"],
        leaked_at=row["leaked_at"],
        renewal_window=_renewal_window(row) or UNSET,
    )


def _renewal_window(row: Record) -> RenewalWindow | None:
    """What goes out of use, or has done so, is not renewed."""
    if row["state"] not in (KeyState.ACTIVATING, KeyState.ACTIVE):
        return None
    return renewal_window(row["thumbprint"], row["created_at"], row["expires_at"])
