"""Proofs that a key is held, and asking with one whether the token issuer takes the key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

import msgspec
from asyncpg import Record

from app.access.callers import CallingClient
from app.access.key_proofs import spend_key_proof, verified_key_proof
from app.access.public_jwk import PublicKey, acceptable_jwk
from app.client_keys.queries import CHECKED_KEY, NOTE_USE
from app.client_keys.rules import KeyNotFound, KeyState, Unusable, unusable
from app.client_keys.use_cases import checked, note_use
from app.client_keys.wire import KeyChecked, StoredKey
from app.database import Database

PROOF = "#/proof"


async def check_key(
    database: Database,
    caller: CallingClient,
    thumbprint: str,
    proof: str,
    *,
    urls: Sequence[str],
    remembered_since: int,
    now: datetime,
) -> KeyChecked:
    """Whether the client can log in with its key `thumbprint`, which has signed `proof`.

    A key is not found where it is another client's. Being used like this, it counts as proven.
    """
    async with database.reads.acquire() as connection:
        found = checked(
            await CHECKED_KEY.row(
                connection,
                client_id=caller.client_id,
                proof_thumbprint=caller.key_thumbprint,
                thumbprint=thumbprint,
            )
        )
        if found["thumbprint"] is None:
            raise KeyNotFound
    await show_held(
        database, caller, _key(found), proof, urls=urls, remembered_since=remembered_since
    )
    async with database.writes.acquire() as connection:
        await note_use(connection, found, now)
        await NOTE_USE.row(connection, of_thumbprint=thumbprint, now=now)
    return _answer(found, now)


async def show_held(
    database: Database,
    caller: CallingClient,
    key: PublicKey,
    proof: str,
    *,
    urls: Sequence[str],
    remembered_since: int,
) -> None:
    """Use `proof`, which shows that the caller holds `key`; or refuse it."""
    claims = verified_key_proof(
        proof,
        key,
        client_id=caller.client_id,
        urls=urls,
        pointer=PROOF,
        now=datetime.now(UTC),  # proofs are never judged by the domain's clock
        remembered_since=remembered_since,
    )
    async with database.writes.acquire() as connection:
        await spend_key_proof(connection, key, claims, pointer=PROOF)


def _key(found: Record) -> PublicKey:
    stored = msgspec.json.decode(found["public_key"], type=StoredKey)
    return acceptable_jwk(stored.parameters, pointer="#")


def _answer(found: Record, now: datetime) -> KeyChecked:
    reason = unusable(KeyState(found["state"]), found["expires_at"], found["retires_at"], now)
    wait = None
    if reason is Unusable.NOT_PUBLISHED_YET:
        wait = max(1, ceil(found["issuer_is_told_in"] or 0))
    return KeyChecked(usable=reason is None, reason_code=reason, retry_after_seconds=wait)
