"""A client as the operator sees it: all there is to know of it, in one answer."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct, field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.client_configurations.operator import NoSuchClient
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.delegations.answers import Source
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.rules import State
from app.delegations.views import is_stale
from app.notices.queries import notices_of
from app.notices.rules import NoticeKind, Recipient
from app.organizations.models import Organization
from app.organizations.register import Mark
from app.publications.models import Publication

S = TypeVar("S", bound=Struct)


class ScopeSeen(Struct, rename="camel", frozen=True):
    scope: str
    api_access: AccessState
    scope_access: AccessState
    reason: str | None
    since: datetime
    decide_at: datetime | None


class ClaimSeen(Struct, rename="camel", frozen=True):
    claim_type: str
    active_value: str | None
    pending_value: str | None
    pending_refused: bool
    reason: str | None


class KeySeen(Struct, rename="camel", frozen=True):
    thumbprint: str
    kid: str
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    retires_at: datetime | None
    last_used_at: datetime | None
    leaked_at: datetime | None


class PublicationSeen(Struct, rename="camel", frozen=True):
    wanted: int
    published: int
    attempts: int
    last_failure: str | None


class DelegationSeen(Struct, rename="camel", frozen=True):
    right: str
    giver: str = field(name="from")
    receiver: str = field(name="to")
    state: State
    since: datetime
    source: Source | None
    checked_at: datetime | None
    next_check_at: datetime | None
    stale: bool
    last_error: str | None
    request_id: str | None


class MarkSeen(Struct, frozen=True):
    """What Enhetsregisteret says has become of the client's organization."""

    mark: Mark
    since: datetime | None


class NoticeSeen(Struct, rename="camel", frozen=True):
    id: int
    kind: NoticeKind
    recipient: Recipient
    address: str | None
    created_at: datetime
    sent_at: datetime | None
    last_failure: str | None


class Overview(Struct, rename="camel", frozen=True):
    client_id: UUID
    status: ClientStatus
    client_system: str
    tenancy: str
    organization_number: str
    organization_name: str
    organization_mark: MarkSeen | None
    external_ref: str | None
    created_at: datetime
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    child_organization_numbers: list[str]
    scopes: list[ScopeSeen]
    claims: list[ClaimSeen]
    delegations: list[DelegationSeen]
    keys: list[KeySeen]
    publication: PublicationSeen | None
    notices: list[NoticeSeen]


async def client_overview(db: AsyncSession, client_id: UUID, *, now: datetime) -> Overview:
    client = await db.get(ClientConfiguration, client_id)
    if client is None:
        raise NoSuchClient(f"No client has the id {client_id}.")
    return Overview(
        client_id=client_id,
        status=client.status,
        client_system=client.client_system_id,
        tenancy=client.tenancy,
        organization_number=client.organization_number,
        organization_name=client.organization_name,
        organization_mark=await _mark(db, client.organization_number),
        external_ref=client.external_ref,
        created_at=client.created_at,
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        child_organization_numbers=client.child_organization_numbers,
        scopes=await _scopes(db, client_id),
        claims=await _claims(db, client_id),
        delegations=await _delegations(db, client_id, now),
        keys=await _keys(db, client_id),
        publication=msgspec.convert(
            await db.get(Publication, client_id), PublicationSeen | None, from_attributes=True
        ),
        notices=_seen(await notices_of(db, client_id), NoticeSeen),
    )


async def _scopes(db: AsyncSession, client_id: UUID) -> list[ScopeSeen]:
    rows = await db.execute(
        select(ScopeAccess, ApiAccess)
        .join(
            ApiAccess,
            (ApiAccess.client_id == ScopeAccess.client_id)
            & (ApiAccess.audience == ScopeAccess.audience),
        )
        .where(ScopeAccess.client_id == client_id, ScopeAccess.position.is_not(None))
        .order_by(ScopeAccess.position)
    )
    return [
        ScopeSeen(
            scope=scope.scope,
            api_access=api.state,
            scope_access=scope.state,
            reason=scope.reason or api.reason,
            since=scope.since,
            decide_at=scope.decide_at,
        )
        for scope, api in rows
    ]


async def _claims(db: AsyncSession, client_id: UUID) -> list[ClaimSeen]:
    rows = await db.scalars(
        select(ClaimValue).where(ClaimValue.client_id == client_id).order_by(ClaimValue.position)
    )
    return _seen(rows, ClaimSeen)


async def _mark(db: AsyncSession, number: str) -> MarkSeen | None:
    row = await db.get(Organization, number)
    return None if row is None or row.mark is None else MarkSeen(row.mark, row.marked_at)


async def _delegations(db: AsyncSession, client_id: UUID, now: datetime) -> list[DelegationSeen]:
    rows = await db.execute(
        select(Delegation, DelegationPoll)
        .join(DelegationPoll, DelegationPoll.delegation_id == Delegation.id)
        .where(Delegation.client_id == client_id)
        .order_by(Delegation.right, Delegation.giver)
    )
    return [
        DelegationSeen(
            right=row.right,
            giver=row.giver,
            receiver=row.receiver,
            state=row.state,
            since=row.since,
            source=poll.source,
            checked_at=poll.checked_at,
            next_check_at=poll.due_at,
            stale=is_stale(poll, now),
            last_error=poll.last_error,
            request_id=row.request_id,
        )
        for row, poll in rows
    ]


async def _keys(db: AsyncSession, client_id: UUID) -> list[KeySeen]:
    rows = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id)
        .order_by(ClientKey.created_at, ClientKey.thumbprint)
    )
    return _seen(rows, KeySeen)


def _seen(rows: Iterable[object], kind: type[S]) -> list[S]:
    return [msgspec.convert(row, kind, from_attributes=True) for row in rows]
