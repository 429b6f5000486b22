"""A client as the operator sees it: all there is to know of it, in one answer."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.client_configurations.operator import NoSuchClient
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.publications.models import Publication


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


class PublicationSeen(Struct, rename="camel", frozen=True):
    wanted: int
    published: int
    attempts: int
    last_failure: str | None


class Overview(Struct, rename="camel", frozen=True):
    client_id: UUID
    status: ClientStatus
    client_system: str
    tenancy: str
    organization_number: str
    organization_name: str
    external_ref: str | None
    created_at: datetime
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    child_organization_numbers: list[str]
    scopes: list[ScopeSeen]
    claims: list[ClaimSeen]
    keys: list[KeySeen]
    publication: PublicationSeen | None


async def client_overview(db: AsyncSession, client_id: UUID) -> Overview:
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
        external_ref=client.external_ref,
        created_at=client.created_at,
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        child_organization_numbers=client.child_organization_numbers,
        scopes=await _scopes(db, client_id),
        claims=await _claims(db, client_id),
        keys=await _keys(db, client_id),
        publication=await _publication(db, client_id),
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
    return [
        ClaimSeen(
            claim_type=row.claim_type,
            active_value=row.active_value,
            pending_value=row.pending_value,
            pending_refused=row.pending_refused,
            reason=row.reason,
        )
        for row in rows
    ]


async def _keys(db: AsyncSession, client_id: UUID) -> list[KeySeen]:
    rows = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id)
        .order_by(ClientKey.created_at, ClientKey.thumbprint)
    )
    return [
        KeySeen(
            thumbprint=row.thumbprint,
            kid=row.kid,
            state=row.state,
            created_at=row.created_at,
            expires_at=row.expires_at,
            retires_at=row.retires_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


async def _publication(db: AsyncSession, client_id: UUID) -> PublicationSeen | None:
    row = await db.get(Publication, client_id)
    if row is None:
        return None
    return PublicationSeen(row.wanted, row.published, row.attempts, row.last_failure)
