"""Letting a key go out of use, as long as the client can still log in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.access.callers import CallingClient
from app.audit.trail import Happened, record
from app.changes.queries import VersionCheck, check_version, client_changed
from app.client_keys.calling import check_caller
from app.client_keys.models import ClientKey
from app.client_keys.queries import live_keys_to_change
from app.client_keys.rules import TRANSITIONS, KeyEvent, KeyNotFound, KeyState, LastUsableKey
from app.database import Sessions
from app.publications.queries import want_publication
from app.state_machine import next_state


async def retire_key(
    sessions: Sessions,
    caller: CallingClient,
    thumbprint: str,
    *,
    grace: timedelta,
    has_seen: VersionCheck,
    now: datetime,
) -> int | None:
    """Let a key go out of use after `grace`. Doing it again changes nothing (None).

    `has_seen` refuses when the caller has not seen what he changes.
    """
    async with sessions.begin() as db:
        keys = await live_keys_to_change(db, caller.client_id)
        await check_caller(db, caller, seen_at=now)
        key = next((key for key in keys if key.thumbprint == thumbprint), None)
        if key is None:
            raise KeyNotFound
        if key.state == KeyState.RETIRING and grace:
            return None
        await check_version(db, caller.client_id, has_seen)
        if not can_log_in_without(key, keys, until=now + grace):
            raise LastUsableKey
        if key.state != KeyState.RETIRING:
            key.state = next_state(TRANSITIONS, key.state, KeyEvent.RETIRE)
        key.retires_at = now + grace
        if not grace:
            key.state = next_state(TRANSITIONS, key.state, KeyEvent.GRACE_OVER)
        record(
            db,
            Happened.KEY_RETIRED,
            actor=caller.actor,
            subject=caller.client_id,
            at=now,
            key=thumbprint,
        )
        await client_changed(db, caller.client_id)
        return await want_publication(db, caller.client_id)


def can_log_in_without(key: ClientKey, keys: Sequence[ClientKey], *, until: datetime) -> bool:
    """Whether another of the client's live `keys` does what this one would do after `until`.

    One that the issuer has yet to hear of stands in only for another such.
    """
    enough = {KeyState.ACTIVE}
    if key.state == KeyState.ACTIVATING:
        enough.add(KeyState.ACTIVATING)
    return any(
        other.state in enough and _outlasts(other.expires_at, key.expires_at, until)
        for other in keys
        if other is not key
    )


def _outlasts(other_ends: datetime | None, key_ends: datetime | None, until: datetime) -> bool:
    if other_ends is None or other_ends > until:
        return True
    return key_ends is not None and other_ends >= key_ends
