"""What a client can do now, and for how long."""

from collections.abc import Sequence
from datetime import datetime

from app.approvals.rules import AccessState
from app.client_keys.rules import KeyState
from app.clients.rules import ClientStatus
from app.delegations.rules import USABLE, State
from app.delegations.scopes import needs_no_right
from app.onboardings.facts import Around, Facts, KeySeen


def usable_scopes(facts: Facts, around: Around) -> list[str]:
    """What a token can be had for now: granted, the right given, and the issuer knows it."""
    client = facts.client
    if client is None or client.status is not ClientStatus.ACTIVE:
        return []
    if not any(is_usable(key, around.now) for key in client.keys):
        return []
    known = client.issuer_scopes or ()
    return [scope for scope in granted_scopes(facts, around) if scope in known]


def granted_scopes(facts: Facts, around: Around) -> list[str]:
    """What may be used here, whether the issuer knows it or not."""
    client, system = facts.client, around.system(facts)
    if client is None or system is None:
        return []
    states = {(record.right, record.giver): record.state for record in client.rights}
    needs_none = needs_no_right(facts.organization_number, client.tenancy, system)

    def is_given(scope: str) -> bool:
        right = system.right_of_scope.get(scope)
        given = states.get((right or "", facts.organization_number), State.UNKNOWN)
        return needs_none or right is None or given in USABLE

    return [
        seen.scope
        for seen in client.scopes
        if seen.api == seen.own == AccessState.GRANTED and is_given(seen.scope)
    ]


def key_expires_at(facts: Facts, now: datetime) -> datetime | None:
    keys = facts.client.keys if facts.client else ()
    usable = [key for key in keys if is_usable(key, now)]
    return newest(usable).ends_at if usable else None


def newest(keys: Sequence[KeySeen]) -> KeySeen:
    """The one that works longest; a key without an end outlives them all."""
    return max(keys, key=lambda key: (key.ends_at is None, key.ends_at or key.created_at))


def is_usable(key: KeySeen, now: datetime) -> bool:
    return key.state is not KeyState.ACTIVATING and key.is_live(now)
