"""The steps of a client that there is: from what other rooms have stored to lines of the table."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from app.apis.catalogue import ClientSystem
from app.approvals.rules import AccessState, initial_access, scope_status, scopes_under_rule
from app.client_keys.rules import KeyState, renewal_window
from app.clients.rules import ClientStatus
from app.delegations.rules import HAS_LINK, OPEN_REQUEST, reason_code
from app.onboardings.facts import (
    Around,
    ClaimSeen,
    ClientSeen,
    Facts,
    KeySeen,
    RightRecord,
    ScopeSeen,
)
from app.onboardings.rules import REFUSED, Approval, Known, Step, StepCode, step
from app.onboardings.usable import granted_scopes, newest

LATE = timedelta(minutes=10)
"""A check that is so late was not made: nobody is asking."""
FRESH = timedelta(minutes=1)
"""What has begun so recently is not late, whatever has gone wrong."""


def steps_of_client(facts: Facts, client: ClientSeen, around: Around) -> Iterator[Step]:
    """All but the confirmation, in the order to do them."""
    yield from _stopped(client)
    if client.status is not ClientStatus.CLOSED:
        yield from _be_replaced(client)
        yield from _delegate(facts, client, around)
        yield from _approve(facts, client, around)
        yield from _publish(facts, client, around)
        yield from _renew(client, around)


def is_declared(facts: Facts, around: Around) -> bool:
    return facts.client_id in around.catalogue.declared_clients


def needing(system: ClientSystem | None, right: str, scopes: Sequence[str]) -> list[str]:
    right_of = system.right_of_scope if system else {}
    return [scope for scope in scopes if right_of.get(scope) == right]


def with_claim(claim_type: str, scopes: Sequence[str], around: Around) -> list[str]:
    api = around.catalogue.api_of_claim.get(claim_type)
    of_api = {entry.scope for entry in api.scopes} if api else set()
    return [scope for scope in scopes if scope in of_api]


def _stopped(client: ClientSeen) -> Iterator[Step]:
    since = client.status_since or client.created_at
    if client.status is ClientStatus.BLOCKED:
        scopes = [seen.scope for seen in client.scopes]
        yield step(StepCode.UNBLOCK_CLIENT, Known.CLIENT_BLOCKED, since=since, affects=scopes)
    if client.status is ClientStatus.CLOSED:
        yield step(StepCode.REPLACE_CLIENT, Known.CLIENT_CLOSED, since=since)


def _be_replaced(client: ClientSeen) -> Iterator[Step]:
    """Somebody has said that its keys are lost: whoever has them still has a day to object."""
    for replacement in client.replacements:
        yield step(
            StepCode.REPLACE_KEYS,
            Known.KEYS_SAID_LOST,
            affects=[seen.scope for seen in client.scopes],
            action_expires_at=replacement.exchange_at,
            since=replacement.since,
        )


def _delegate(facts: Facts, client: ClientSeen, around: Around) -> Iterator[Step]:
    system = around.system(facts)
    scopes = [seen.scope for seen in client.scopes]
    for record in client.rights:
        code = reason_code(record.state, not_seen_after_approval=record.not_seen_after_approval)
        yield step(
            StepCode.DELEGATE_RIGHT,
            record.state,
            about=record.right,
            giver=record.giver,
            reason_code=code.value if code else None,
            affects=needing(system, record.right, scopes),
            action_url=_altinn_link(record, around),
            since=record.since,
            checked_at=record.checked_at,
            stale=_is_stale(record, around.now),
        )


def _altinn_link(record: RightRecord, around: Around) -> str | None:
    if record.state not in HAS_LINK:
        return None
    asked = record.request_link if record.state in OPEN_REQUEST else None
    return asked or around.altinn_pages


def _is_stale(record: RightRecord, now: datetime) -> bool:
    if record.checked_at is None and now - record.since < FRESH:
        return False
    return record.failures > 0 or (record.due_at is not None and now - record.due_at > LATE)


def _approve(facts: Facts, client: ClientSeen, around: Around) -> Iterator[Step]:
    left_to_owners = _left_to_owners(facts, client, around)
    for scope in client.scopes:
        known = _approval_of(scope)
        if known is not Approval.GRANTED or scope.scope in left_to_owners:
            yield step(
                StepCode.APPROVE_SCOPE,
                known,
                about=scope.scope,
                affects=[scope.scope],
                words=scope.words if known in REFUSED else None,
                since=max(scope.since, scope.api_since),
            )
    scopes = [seen.scope for seen in client.scopes]
    for claim in client.claims:
        known = _approval_of_claim(claim)
        if known is not Approval.GRANTED or claim.had_to_wait:
            yield step(
                StepCode.APPROVE_CLAIM,
                known,
                about=claim.claim_type,
                affects=with_claim(claim.claim_type, scopes, around),
                words=claim.words if known is Approval.VALUE_REFUSED else None,
                since=claim.since,
            )


def _left_to_owners(facts: Facts, client: ClientSeen, around: Around) -> set[str]:
    """The scopes that somebody had to decide on, by the catalogue that is in force."""
    catalogue = around.catalogue
    rule = catalogue.rule_of_organization.get(facts.organization_number)
    asked = [seen.scope for seen in client.scopes]
    ruled = scopes_under_rule(rule, asked, around.client_scope)
    decisions = {scope: rule.scopes for scope in ruled if rule and rule.scopes}
    return {
        scope
        for scope in asked
        if (entry := catalogue.api_scopes.get(scope))
        and initial_access(entry.policy, around.environment, decisions.get(scope), around.now).state
        is AccessState.PENDING
        and not is_declared(facts, around)
    }


def _approval_of(seen: ScopeSeen) -> Approval:
    _, code = scope_status(seen.api, seen.own)
    return Approval(code.value) if code else Approval.GRANTED


def _approval_of_claim(claim: ClaimSeen) -> Approval:
    if claim.pending is None:
        return Approval.GRANTED
    if claim.refused:
        return Approval.VALUE_REFUSED
    first = claim.active is None
    return Approval.FIRST_VALUE_PENDING if first else Approval.CHANGED_VALUE_PENDING


def _publish(facts: Facts, client: ClientSeen, around: Around) -> Iterator[Step]:
    if client.status is not ClientStatus.ACTIVE:
        return
    lacking = [
        scope
        for scope in granted_scopes(facts, around)
        if scope not in (client.issuer_scopes or ())
    ]
    active_since = [key.active_at for key in client.keys if key.active_at]
    live = [key for key in client.keys if key.is_live(around.now)]
    only_new_keys = all(key.state is KeyState.ACTIVATING for key in live)
    if lacking or (live and only_new_keys):
        since = max([client.created_at, *_moments(client)])
        known, completed_at = Known.ISSUER_LAGS, None
    else:
        since = completed_at = min(active_since, default=client.created_at)
        known = Known.ISSUER_KNOWS
    yield step(
        StepCode.PUBLISH_CLIENT,
        known,
        affects=lacking or [seen.scope for seen in client.scopes],
        since=since,
        completed_at=completed_at,
    )


def _moments(client: ClientSeen) -> Iterator[datetime]:
    yield from (max(seen.since, seen.api_since) for seen in client.scopes)
    yield from (record.since for record in client.rights)
    if client.status_since:
        yield client.status_since


def _renew(client: ClientSeen, around: Around) -> Iterator[Step]:
    live = [key for key in client.keys if key.is_live(around.now)]
    for key in live:
        if key.leaked_at:
            yield _renew_one(client, Known.KEY_LEAKED, key, since=key.leaked_at)
    if not live:
        scopes = [seen.scope for seen in client.scopes]
        since = _without_key_since(client, around.now)
        yield step(StepCode.RENEW_KEY, Known.NO_KEY, since=since, affects=scopes)
    elif sound := [key for key in live if not key.leaked_at]:
        key = newest(sound)
        window = renewal_window(key.thumbprint, key.created_at, key.ends_at)
        if window is not None and window.begins_at <= around.now:
            yield _renew_one(client, Known.KEY_IN_WINDOW, key, since=window.begins_at)


def _without_key_since(client: ClientSeen, now: datetime) -> datetime:
    """As far as it is known: when a key was revoked is not told here, when it was to end is."""
    ends = [end for key in client.keys for end in (key.expires_at, key.retires_at) if end]
    return max([client.created_at, *(end for end in ends if end <= now)])


def _renew_one(client: ClientSeen, known: Known, key: KeySeen, *, since: datetime) -> Step:
    return step(
        StepCode.RENEW_KEY,
        known,
        about=key.thumbprint,
        affects=[seen.scope for seen in client.scopes],
        action_expires_at=key.ends_at,
        since=since,
    )
