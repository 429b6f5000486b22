"""What API owners decide. Each use case is one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.queries import (
    api_to_change,
    apis_to_change,
    claims_to_change,
    due_scope,
    next_due_scope,
    scopes_to_change,
)
from app.approvals.rules import (
    REMEMBERED,
    TRANSITIONS,
    AccessEvent,
    AccessState,
    NothingToDecide,
    claim_after_decision,
)
from app.approvals.use_cases import set_claim, state_of
from app.audit.trail import WORKER, Actor, Happened, record
from app.changes.queries import client_changed
from app.database import Sessions
from app.publications.queries import want_publication
from app.state_machine import WrongState, next_state


class Decision(Struct, frozen=True, kw_only=True):
    """An owner's word on one client: on what is named, or where nothing is, on all that waits."""

    client_id: UUID
    event: AccessEvent
    scope: str | None = None
    audience: str | None = None
    claim_type: str | None = None
    reason: str | None = None
    """The owner's own words, shown to the client."""
    actor: Actor
    at: datetime

    @property
    def names_something(self) -> bool:
        return bool(self.scope or self.audience or self.claim_type)


async def decide_access(db: AsyncSession, decision: Decision) -> None:
    """Approve or refuse what the decision names. An approval of a scope lets it near its API."""
    async with db.begin():
        scopes = await scopes_to_change(db, decision.client_id)
        apis = await apis_to_change(db, decision.client_id)
        claims = await claims_to_change(db, decision.client_id)
        if not scopes and not claims:
            raise NothingToDecide(f"Client {decision.client_id} has asked for nothing.")
        chosen_scopes = _chosen_scopes(decision, scopes.values())
        chosen_apis = _chosen_apis(decision, apis.values())
        chosen_claims = _chosen_claims(decision, claims.values())
        if not chosen_scopes and not chosen_apis and not chosen_claims:
            raise NothingToDecide("The client has not asked for this, or nothing waits.")
        for api in chosen_apis:
            _decide_api(db, decision, api)
        for scope in chosen_scopes:
            _decide_scope(db, decision, scope, apis[scope.audience])
        for claim in chosen_claims:
            _decide_claim(db, decision, claim)
        await _told(db, decision.client_id)


async def due_decisions(sessions: Sessions, now: datetime) -> bool:
    """Carry out one decision that has fallen due; True while there may be more."""
    async with sessions() as db, db.begin():
        scope = await due_scope(db, now)
        if scope is None:
            return False
        assert scope.decide_as is not None
        decision = Decision(client_id=scope.client_id, event=scope.decide_as, actor=WORKER, at=now)
        api = await api_to_change(db, scope.client_id, scope.audience)
        if scope.state != AccessState.PENDING or api.state in REMEMBERED:
            # Somebody has decided otherwise in the meantime.
            scope.decide_at = scope.decide_as = None
            return True
        _decide_scope(db, decision, scope, api)
        await _told(db, scope.client_id)
        return True


async def next_decision_due(sessions: Sessions, after: datetime) -> datetime | None:
    async with sessions() as db:
        return await next_due_scope(db, after)


def _chosen_scopes(decision: Decision, rows: Iterable[ScopeAccess]) -> Sequence[ScopeAccess]:
    listed = [row for row in rows if row.position is not None]
    if decision.names_something:
        return [row for row in listed if row.scope == decision.scope]
    return [row for row in listed if row.state == AccessState.PENDING]


def _chosen_apis(decision: Decision, rows: Iterable[ApiAccess]) -> Sequence[ApiAccess]:
    if decision.names_something:
        return [row for row in rows if row.audience == decision.audience]
    return [row for row in rows if row.state == AccessState.PENDING]


def _chosen_claims(decision: Decision, rows: Iterable[ClaimValue]) -> Sequence[ClaimValue]:
    if decision.names_something:
        return [row for row in rows if row.claim_type == decision.claim_type]
    return [row for row in rows if row.pending_value is not None and not row.pending_refused]


def _decide_api(db: AsyncSession, decision: Decision, row: ApiAccess) -> None:
    row.state = next_state(TRANSITIONS, row.state, decision.event)
    row.since, row.reason = decision.at, decision.reason
    _record(db, decision, audience=row.audience)


def _decide_scope(db: AsyncSession, decision: Decision, row: ScopeAccess, api: ApiAccess) -> None:
    row.state = next_state(TRANSITIONS, row.state, decision.event)
    row.since, row.reason = decision.at, decision.reason
    row.decide_at = row.decide_as = None
    _record(db, decision, scope=row.scope)
    if decision.event == AccessEvent.REFUSE:
        return
    if api.state in REMEMBERED:
        raise WrongState(f"Access to {api.audience} is {api.state}: approve that first.")
    if api.state == AccessState.PENDING:
        _decide_api(db, decision, api)


def _decide_claim(db: AsyncSession, decision: Decision, row: ClaimValue) -> None:
    set_claim(row, claim_after_decision(state_of(row), decision.event), decision.at)
    row.reason = decision.reason
    approved = decision.event == AccessEvent.APPROVE
    value = row.active_value if approved else row.pending_value
    record(
        db,
        Happened.CLAIM_APPROVED if approved else Happened.CLAIM_REFUSED,
        actor=decision.actor,
        subject=decision.client_id,
        at=decision.at,
        claimType=row.claim_type,
        value=value or "",
    )


def _record(db: AsyncSession, decision: Decision, **what: str) -> None:
    approved = decision.event == AccessEvent.APPROVE
    if decision.reason:
        what["reason"] = decision.reason
    record(
        db,
        Happened.ACCESS_APPROVED if approved else Happened.ACCESS_REFUSED,
        actor=decision.actor,
        subject=decision.client_id,
        at=decision.at,
        **what,
    )


async def _told(db: AsyncSession, client_id: UUID) -> None:
    await client_changed(db, client_id)
    await want_publication(db, client_id)
