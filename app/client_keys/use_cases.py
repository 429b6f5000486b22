"""What can be done with a client's keys. Each function is one transaction."""

from datetime import datetime

import msgspec
from asyncpg import Record, UniqueViolationError
from msgspec import Struct
from msgspec.structs import replace

from app.access.callers import CallingClient
from app.access.idempotency import Once
from app.access.public_jwk import PublicKey
from app.audit.trail import Happened
from app.changes.queries import VersionCheck
from app.client_keys.adding import ADD_KEY
from app.client_keys.queries import KEYS_OF_CLIENT, NOTE_USE
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
    is_seen_anew,
)
from app.client_keys.taking_over import take_over
from app.client_keys.wire import ClientSecretCreated, StoredKey
from app.clients.standing import check_standing
from app.database import Connection, Database


class AddedKey(Struct, frozen=True):
    answer: ClientSecretCreated
    published_version: int | None
    """What the token issuer has to know before the key works; None for a key that it knows."""
    replayed: bool = False


class NewKey(Struct, frozen=True):
    key: PublicKey
    expires_at: datetime
    now: datetime
    last_used_at: datetime | None
    """Now, where the caller has shown to hold the key."""


async def add_key(
    database: Database,
    caller: CallingClient,
    key: PublicKey,
    *,
    is_held: bool = False,
    has_seen: VersionCheck | None = None,
    once: Once | None = None,
    life_days: int,
    time_scale: float = 1.0,
    now: datetime,
) -> AddedKey:
    """Register one more key. Registering a live key again gives the answer that stands.

    `is_held` says that the caller has shown to hold it: then he gets it, although another client
    has registered it without ever doing so. `has_seen` refuses when the caller has not seen what
    he adds to.
    """
    new = NewKey(key, end_of_life(now, life_days, scale=time_scale), now, now if is_held else None)
    while True:
        try:
            return await _added(database, caller, new, has_seen, once)
        except KeyTaken:
            if not is_held or not await take_over(database.sessions, caller, key, now=now):
                raise


async def earlier_answer(
    database: Database, caller: CallingClient, once: Once | None
) -> AddedKey | None:
    """What the same request was answered before."""
    if once is None:
        return None
    async with database.reads.acquire() as connection:
        earlier = await once.earlier(connection, AddedKey)
        return await _replayed(connection, caller, earlier) if earlier else None


async def _added(
    database: Database,
    caller: CallingClient,
    new: NewKey,
    has_seen: VersionCheck | None,
    once: Once | None,
) -> AddedKey:
    try:
        async with database.writes.acquire() as connection:
            if has_seen is None and once is None:
                return await _add_key(connection, caller, new)
            async with connection.transaction():
                earlier = await once.begin(connection, AddedKey) if once else None
                if earlier is not None:
                    return await _replayed(connection, caller, earlier)
                added = await _add_key(connection, caller, new, has_seen)
                if once is not None:
                    await once.keep(connection, added)
                return added
    except UniqueViolationError as error:
        # Another client registered the same key at the same moment.
        raise KeyTaken from error


async def _replayed(connection: Connection, caller: CallingClient, earlier: AddedKey) -> AddedKey:
    """An earlier answer, for a client that may still be answered."""
    rows = await KEYS_OF_CLIENT.rows(
        connection,
        client_id=caller.client_id,
        proof_thumbprint=caller.key_thumbprint,
        ended_too=False,
    )
    checked(rows[0] if rows else None)
    return replace(earlier, replayed=True)


async def _add_key(
    connection: Connection,
    caller: CallingClient,
    new: NewKey,
    has_seen: VersionCheck | None = None,
) -> AddedKey:
    while True:
        standing = checked(await _added_or_found(connection, caller, new))
        if standing["key_of"] is not None:
            already = _registered_already(standing, caller, new.key)
            await note_use(connection, standing, new.now)
            if new.last_used_at is not None:
                await NOTE_USE.row(connection, of_thumbprint=new.key.thumbprint, now=new.now)
            return already
        if has_seen is not None:
            # What was read is what was changed: else nothing was added.
            has_seen(standing["counter"] or 0)
        if standing["wanted"] is not None:
            await note_use(connection, standing, new.now)
            return _new(new, standing["wanted"])
        _check_room(standing, new.key)
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
    connection: Connection, caller: CallingClient, new: NewKey
) -> Record | None:
    actor, key = caller.actor, new.key
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
        created_at=new.now,
        expires_at=new.expires_at,
        last_used_at=new.last_used_at,
        happened=Happened.KEY_ADDED.value,
        actor=actor.name,
        subject=str(caller.client_id),
        source=actor.source,
        request_id=actor.request_id,
        details=msgspec.json.encode({"key": key.thumbprint}).decode(),
    )


def _new(new: NewKey, wanted: int) -> AddedKey:
    answer = ClientSecretCreated(
        expiration=new.expires_at,
        kid=new.key.kid,
        jwk_thumbprint=new.key.thumbprint,
        state=KeyState.ACTIVATING,
        warnings=list(new.key.warnings),
    )
    return AddedKey(answer, wanted)


async def note_use(connection: Connection, row: Record, now: datetime) -> None:
    """That the client's key is in use, of which `row` tells what is known."""
    if row["own_key"] and is_seen_anew(row["own_key_used_at"], now):
        await NOTE_USE.row(connection, of_thumbprint=row["own_key"], now=now)
