"""Bringing a client's accesses in line with what it asks for, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.queries import apis_to_change, claims_to_change, scopes_to_change
from app.approvals.rules import (
    REMEMBERED,
    ClaimState,
    api_access,
    claim_after_asking,
    claim_policy,
    initial_access,
    is_automatic,
    scopes_under_rule,
)
from app.settings import Environment


class Asking(Struct, frozen=True, kw_only=True):
    """Who asks, and by which rules it is judged."""

    client_id: UUID
    organization_number: str
    catalogue: Catalogue
    environment: Environment
    client_scope: str
    time_scale: float
    now: datetime


async def ask_for_access(
    db: AsyncSession,
    *,
    client_id: UUID,
    organization_number: str,
    scopes: Sequence[str],
    claims: Sequence[tuple[str, str]],
    catalogue: Catalogue,
    environment: Environment,
    client_scope: str,
    time_scale: float = 1.0,
    now: datetime,
) -> bool:
    """Make `scopes` and `claims` all that the client asks for; whether that changed anything.

    For a new client and a changed one alike. What stays keeps its state, what is dropped loses
    its approval, and what is added again after an owner's no finds that no still standing.
    """
    asking = Asking(
        client_id=client_id,
        organization_number=organization_number,
        catalogue=catalogue,
        environment=environment,
        client_scope=client_scope,
        time_scale=time_scale,
        now=now,
    )
    scopes_changed = await _bring_scopes_in_line(db, asking, list(dict.fromkeys(scopes)))
    claims_changed = await _bring_claims_in_line(db, asking, dict(claims))
    await db.flush()
    return scopes_changed or claims_changed


async def _bring_scopes_in_line(db: AsyncSession, asking: Asking, asked: list[str]) -> bool:
    rows = await scopes_to_change(db, asking.client_id)
    apis = await apis_to_change(db, asking.client_id)
    before = _order(rows)
    for scope, row in list(rows.items()):
        if scope not in asked:
            await _drop(db, row)
            del rows[scope]
    for position, scope in enumerate(asked):
        if scope not in rows:
            rows[scope] = _new_scope(asking, scope, asked)
            db.add(rows[scope])
        rows[scope].position = position
    await _bring_apis_in_line(db, asking, apis, rows)
    return _order(rows) != before


def _order(rows: dict[str, ScopeAccess]) -> list[str]:
    listed = {scope: row.position for scope, row in rows.items() if row.position is not None}
    return sorted(listed, key=listed.__getitem__)


async def _drop(db: AsyncSession, row: ScopeAccess) -> None:
    if row.state in REMEMBERED:
        row.position = row.decide_at = row.decide_as = None
    else:
        await db.delete(row)


def _new_scope(asking: Asking, scope: str, asked: list[str]) -> ScopeAccess:
    rule = asking.catalogue.rule_of_organization.get(asking.organization_number)
    ruled = scope in scopes_under_rule(rule, asked, asking.client_scope)
    begins = initial_access(
        asking.catalogue.api_scopes[scope].policy,
        asking.environment,
        rule.scopes if rule and ruled else None,
        asking.now,
        asking.time_scale,
    )
    return ScopeAccess(
        client_id=asking.client_id,
        scope=scope,
        audience=asking.catalogue.api_of_scope[scope].audience,
        position=None,
        state=begins.state,
        since=asking.now,
        asked_at=asking.now,
        decide_at=begins.decide_at,
        decide_as=begins.decide_as,
    )


async def _bring_apis_in_line(
    db: AsyncSession, asking: Asking, apis: dict[str, ApiAccess], scopes: dict[str, ScopeAccess]
) -> None:
    audiences = dict.fromkeys(row.audience for row in scopes.values())
    for audience, api in apis.items():
        if audience not in audiences and api.state not in REMEMBERED:
            await db.delete(api)
    for audience in audiences:
        current = apis.get(audience)
        state = api_access(
            current.state if current else None,
            [row.state for row in scopes.values() if row.audience == audience],
        )
        if current is None:
            db.add(
                ApiAccess(
                    client_id=asking.client_id, audience=audience, state=state, since=asking.now
                )
            )
        elif current.state != state:
            current.state, current.since = state, asking.now


async def _bring_claims_in_line(db: AsyncSession, asking: Asking, asked: dict[str, str]) -> bool:
    rows = await claims_to_change(db, asking.client_id)
    changed = False
    for claim_type in rows.keys() - asked.keys():
        await db.delete(rows[claim_type])
        changed = True
    for position, (claim_type, value) in enumerate(asked.items()):
        row = rows.get(claim_type)
        current = state_of(row) if row else None
        wanted = _claim(asking, claim_type, value, current)
        if row is None:
            db.add(_new_claim(asking, claim_type, position, wanted))
        elif current != wanted or row.position != position:
            row.position = position
            set_claim(row, wanted, asking.now)
        else:
            continue
        changed = True
    return changed


def _claim(asking: Asking, claim_type: str, value: str, current: ClaimState | None) -> ClaimState:
    rule = asking.catalogue.rule_of_organization.get(asking.organization_number)
    claim = asking.catalogue.client_claims[claim_type]
    policy = claim_policy(claim, rule, current.active if current else None)
    return claim_after_asking(current, value, automatic=is_automatic(policy, asking.environment))


def _new_claim(asking: Asking, claim_type: str, position: int, claim: ClaimState) -> ClaimValue:
    return ClaimValue(
        client_id=asking.client_id,
        claim_type=claim_type,
        position=position,
        active_value=claim.active,
        pending_value=claim.pending,
        since=asking.now,
        asked_at=None if claim.pending is None else asking.now,
    )


def state_of(row: ClaimValue) -> ClaimState:
    return ClaimState(row.active_value, row.pending_value, row.pending_refused)


def set_claim(row: ClaimValue, claim: ClaimState, now: datetime) -> None:
    """Whatever the owner said was said of the value that waited before."""
    if state_of(row) == claim:
        return
    if claim.pending not in (None, row.pending_value):
        row.asked_at = now
    row.active_value, row.pending_value = claim.active, claim.pending
    row.pending_refused, row.reason, row.since = claim.refused, None, now
