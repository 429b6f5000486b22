"""The client whose keys a draft is to replace: whether it may, and what it goes on having."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingSystem
from app.approvals.models import ClaimValue, ScopeAccess
from app.client_drafts.rules import ReplacedClientNotFound
from app.client_drafts.wire import AskedFor, ClientClaim
from app.client_keys.models import ClientKey
from app.client_keys.queries import is_live
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Sessions
from app.problems import FieldError, InvalidRequest

KEPT = {
    "api_scopes": "apiScopes",
    "audience_specific_client_claims": "audienceSpecificClientClaims",
    "redirect_uris": "redirectUris",
    "post_logout_redirect_uris": "postLogoutRedirectUris",
    "child_organization_numbers": "childOrganizationNumbers",
}


def kept_errors(given: Mapping[str, Any]) -> list[FieldError]:
    """A new key brings nothing else along."""
    if given.get("replaces_keys_of") is None:
        return []
    detail = "Leave it out: the client keeps what it has. Change it with `PUT /v1/client` later."
    return [
        FieldError(f"#/{member}", "is_kept", detail)
        for name, member in KEPT.items()
        if given.get(name) is not None
    ]


async def asked_of_replaced(
    sessions: Sessions,
    caller: CallingSystem,
    client_id: UUID,
    number: str,
    kid: str,
    asked: AskedFor,
) -> AskedFor:
    """What the person is shown: all that the client has. One answer for every foreign client."""
    async with sessions() as db:
        client = await db.get(ClientConfiguration, client_id)
        if (
            client is None
            or client.client_system_id != caller.client_system_id
            or client.organization_number != number
            or client.status is not ClientStatus.ACTIVE
        ):
            raise ReplacedClientNotFound
        used = select(func.count()).where(ClientKey.client_id == client_id, ClientKey.kid == kid)
        if await db.scalar(used):
            taken = f"The client has, or has had, a key with the kid {kid}: choose another."
            raise InvalidRequest([FieldError("#/publicJwk/kid", "kid_taken", taken)])
        return msgspec.structs.replace(
            asked,
            api_scopes=await _scopes(db, client_id),
            claims=await _claims(db, client_id),
            redirect_uris=client.redirect_uris,
            post_logout_redirect_uris=client.post_logout_redirect_uris,
            child_organization_numbers=client.child_organization_numbers,
        )


async def _scopes(db: AsyncSession, client_id: UUID) -> list[str]:
    rows = await db.scalars(
        select(ScopeAccess.scope)
        .where(ScopeAccess.client_id == client_id, ScopeAccess.position.is_not(None))
        .order_by(ScopeAccess.position)
    )
    return list(rows)


async def _claims(db: AsyncSession, client_id: UUID) -> list[ClientClaim]:
    rows = await db.scalars(
        select(ClaimValue).where(ClaimValue.client_id == client_id).order_by(ClaimValue.position)
    )
    return [
        ClientClaim(row.claim_type, row.active_value or row.pending_value or "") for row in rows
    ]


async def last_seen(db: AsyncSession, client_id: UUID) -> datetime | None:
    """When a key that would end was last seen here."""
    return await db.scalar(
        select(func.max(ClientKey.last_used_at)).where(
            ClientKey.client_id == client_id, is_live(ClientKey)
        )
    )
