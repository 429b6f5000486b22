"""What can be done with a client's keys. Each function is one transaction."""

from datetime import datetime, timedelta

import msgspec
from asyncpg import Record, UniqueViolationError
from msgspec import Struct
from sqlalchemy import select

from app.access.callers import CallingClient
from app.access.public_jwk import PublicKey
from app.audit.trail import Actor, Happened, record
from app.changes.queries import VersionCheck, client_changed
from app.client_keys.adding import ADD_KEY
from app.client_keys.models import ClientKey
from app.client_keys.queries import (
    NOTE_USE,
)
from app.client_keys.rules import (
    LIVE,
    MOST_LIVE_KEYS,
    NO_END,
    KeyOrigin,
    KeyState,
    KeyTaken,
    KidTaken,
    TooManyKeys,
    end_of_life,
)
from app.client_keys.wire import ClientSecretCreated, StoredKey
from app.clients.standing import check_standing
from app.database import Connection, Database, Sessions

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class AddedKey(Struct, frozen=True):
    answer: ClientSecretCreated
    published_version: int | None
    """What the token issuer has to know before the key works; None for a key that it knows."""


async def add_key(
    database: Database,
    caller: CallingClient,
    key: PublicKey,
    *,
    has_seen: VersionCheck | None = None,
    life_days: int,
    now: datetime,
) -> AddedKey:
    """Register one more key. Registering a live key again gives the answer that stands.

    `has_seen` refuses when the caller has not seen what he adds to.
    """
    expires_at = end_of_life(now, life_days)
    try:
        async with database.writes.acquire() as connection:
            if has_seen is None:
                return await _add_key(connection, caller, key, expires_at, now)
            async with connection.transaction():
                return await _add_key(connection, caller, key, expires_at, now, has_seen)
    except UniqueViolationError as error:
        # Another client registered the same key at the same moment.
        raise KeyTaken from error


async def _add_key(
    connection: Connection,
    caller: CallingClient,
    key: PublicKey,
    expires_at: datetime,
    now: datetime,
    has_seen: VersionCheck | None = None,
) -> AddedKey:
    while True:
        found = await _added_or_found(connection, caller, key, expires_at, now)
        standing = checked(found)
        if standing["key_of"] is not None:
            return _registered_already(standing, caller, key)
        if has_seen is not None:
            # What was read is what was changed: else nothing was added.
            has_seen(standing["counter"] or 0)
        if standing["wanted"] is not None:
            await note_use(connection, standing, now)
            return _new(key, expires_at, standing["wanted"])
        _check_room(standing, key)
        # Nothing stood against it but that something else of the client changed meanwhile.


def checked(known: Record | None) -> Record:
    """What is known of a client that may do something now."""
    check_standing(
        known["status"] if known else None, key_has_ended=bool(known and known["key_has_ended"])
    )
    assert known is not None  # or the standing would have been refused
    return known


def _registered_already(standing: Record, caller: CallingClient, key: PublicKey) -> AddedKey:
    """A retry after a lost answer is answered alike; a key that has ended never comes back."""
    if standing["key_of"] != caller.client_id or standing["key_state"] not in LIVE:
        raise KeyTaken
    answer = ClientSecretCreated(
        expiration=standing["key_expires_at"] or NO_END,
        kid=standing["key_kid"],
        jwk_thumbprint=key.thumbprint,
        state=KeyState(standing["key_state"]),
        warnings=list(key.warnings),
    )
    return AddedKey(answer, None)


def _check_room(standing: Record, key: PublicKey) -> None:
    if standing["live_keys"] >= MOST_LIVE_KEYS:
        raise TooManyKeys
    if standing["same_kid"]:
        raise KidTaken(key.kid)


async def _added_or_found(
    connection: Connection,
    caller: CallingClient,
    key: PublicKey,
    expires_at: datetime,
    now: datetime,
) -> Record | None:
    actor = caller.actor
    stored = StoredKey(key.thumbprint, key.kid, key.parameters)
    return await ADD_KEY.row(
        connection,
        proof_thumbprint=caller.key_thumbprint,
        thumbprint=key.thumbprint,
        client_id=caller.client_id,
        kid=key.kid,
        public_key=msgspec.json.encode(stored).decode(),
        origin=KeyOrigin.API,
        state=KeyState.ACTIVATING,
        created_at=now,
        expires_at=expires_at,
        happened=Happened.KEY_ADDED.value,
        actor=actor.name,
        subject=str(caller.client_id),
        source=actor.source,
        request_id=actor.request_id,
        details=msgspec.json.encode({"key": key.thumbprint}).decode(),
    )


def _new(key: PublicKey, expires_at: datetime, wanted: int) -> AddedKey:
    answer = ClientSecretCreated(
        expiration=expires_at,
        kid=key.kid,
        jwk_thumbprint=key.thumbprint,
        state=KeyState.ACTIVATING,
        warnings=list(key.warnings),
    )
    return AddedKey(answer, wanted)


async def note_use(connection: Connection, row: Record, now: datetime) -> None:
    """Once a minute is enough to know that a client's key is in use."""
    used_at = row["own_key_used_at"]
    if row["own_key"] and (used_at is None or now - used_at > USE_IS_NOTED_EVERY):
        await NOTE_USE.row(connection, of_thumbprint=row["own_key"], now=now)


async def note_leak(sessions: Sessions, thumbprint: str, *, now: datetime) -> None:
    """Somebody has sent the private part of this key. Where it is a client's, that is kept."""
    async with sessions.begin() as db:
        key = await db.scalar(
            select(ClientKey).where(ClientKey.thumbprint == thumbprint).with_for_update()
        )
        if key is None or key.state not in LIVE or key.leaked_at is not None:
            return
        key.leaked_at = now
        record(
            db,
            Happened.KEY_LEAKED,
            actor=Actor("unknown"),
            subject=key.client_id,
            at=now,
            key=thumbprint,
        )
        await client_changed(db, key.client_id)
