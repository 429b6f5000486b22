"""A client as the token issuer has to know it now, composed from everything we know of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import (
    Catalogue,
    ClientSystem,
    DeclaredDelegation,
    RedirectUriRule,
    Tenancy,
)
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import Status, scope_status
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE, KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.delegations.queries import states_of
from app.delegations.scopes import lets_act, usable_scopes
from app.publications.token_issuer import PublishedKey, Registration


async def registration_of(
    db: AsyncSession, client_id: UUID, catalogue: Catalogue
) -> Registration | None:
    """None: the issuer is to forget the client. To be read after the lease is taken.

    A blocked client keeps its place there, without keys and scopes: so it gets no token even
    from an issuer that does not know our `blocked`.
    """
    client = await db.get(ClientConfiguration, client_id, populate_existing=True)
    if client is None or client.status == ClientStatus.CLOSED:
        return None
    blocked = client.status == ClientStatus.BLOCKED
    system = catalogue.systems[client.client_system_id]
    shared = system.redirect_uri_rule == RedirectUriRule.SHARED
    granted = await _granted_scopes(db, client_id)
    states = await states_of(db, client_id)
    delegations = [
        entry
        for entry in _delegations(catalogue, client)
        if lets_act(entry.delegator.organization_number, system, granted, states)
    ]
    return Registration(
        client_id=client_id,
        client_name=_name(system, client),
        grant_types=list(system.grant_types),
        scopes=[] if blocked else usable_scopes(granted, client, system, states),
        redirect_uris=system.shared_redirect_uris if shared else client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        keys=[] if blocked else await _live_keys(db, client_id),
        organization_number=client.organization_number,
        child_organization_numbers=client.child_organization_numbers,
        supplier_organization_number=system.supplier_organization_number,
        client_tenancy=client.tenancy,
        client_claims=await _active_claims(db, client_id),
        delegators=[entry.delegator.organization_number for entry in delegations],
        unsigned_scopes=_unsigned_scopes(delegations),
        blocked=blocked,
    )


def _name(system: ClientSystem, client: ClientConfiguration) -> str:
    return f"{system.name} – {client.organization_name}"  # noqa: RUF001  # a dash between names


async def _granted_scopes(db: AsyncSession, client_id: UUID) -> list[str]:
    rows = await db.execute(
        select(ScopeAccess.scope, ScopeAccess.state, ApiAccess.state)
        .join(
            ApiAccess,
            and_(
                ApiAccess.client_id == ScopeAccess.client_id,
                ApiAccess.audience == ScopeAccess.audience,
            ),
        )
        # What an owner said of a scope that the client has dropped is only remembered.
        .where(ScopeAccess.client_id == client_id, ScopeAccess.position.is_not(None))
        .order_by(ScopeAccess.position)
    )
    return [name for name, scope, api in rows if scope_status(api, scope)[0] == Status.OK]


async def _active_claims(db: AsyncSession, client_id: UUID) -> dict[str, str]:
    rows = await db.execute(
        select(ClaimValue.claim_type, ClaimValue.active_value)
        .where(ClaimValue.client_id == client_id)
        .order_by(ClaimValue.position)
    )
    return {claim_type: value for claim_type, value in rows if value is not None}


async def _live_keys(db: AsyncSession, client_id: UUID) -> list[PublishedKey]:
    keys = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id, ClientKey.state.in_(LIVE))
        .order_by(ClientKey.created_at, ClientKey.thumbprint)
        .execution_options(populate_existing=True)
    )
    return [
        PublishedKey(key.thumbprint, key.kid, key.public_key.parameters, _end(key)) for key in keys
    ]


def _end(key: ClientKey) -> datetime | None:
    ends = [key.expires_at, key.retires_at if key.state == KeyState.RETIRING else None]
    return min((end for end in ends if end is not None), default=None)


def _delegations(catalogue: Catalogue, client: ClientConfiguration) -> Sequence[DeclaredDelegation]:
    declared = catalogue.declared_clients.get(client.client_id)
    return declared.delegations if declared and client.tenancy == Tenancy.MULTI else ()


def _unsigned_scopes(delegations: Sequence[DeclaredDelegation]) -> dict[str, list[str]]:
    unsigned = {
        entry.delegator.organization_number: [
            scope
            for terms in entry.service_terms
            if not terms.delegator_has_signed
            for scope in terms.scopes
        ]
        for entry in delegations
    }
    return {number: scopes for number, scopes in unsigned.items() if scopes}
