"""The SQL of clients as they are read."""

from uuid import UUID

from sqlalchemy import Text, and_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.queries import newest_version
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.changes.models import ClientChanges
from app.client_keys.queries import HAS_ENDED, IS_OWN_PROOF_KEY, OWN_KEY, proof_key
from app.clients.models import ClientConfiguration
from app.database import HotStatement
from app.delegations.queries import rights_of_client

_scopes = (
    select(
        func.json_agg(
            aggregate_order_by(
                func.json_build_array(
                    ScopeAccess.scope,
                    ApiAccess.state,
                    ScopeAccess.state,
                    func.coalesce(ScopeAccess.reason, ApiAccess.reason),
                ),
                ScopeAccess.position,
            )
        )
    )
    .join(
        ApiAccess,
        and_(
            ApiAccess.client_id == ScopeAccess.client_id,
            ApiAccess.audience == ScopeAccess.audience,
        ),
    )
    .where(
        ScopeAccess.client_id == ClientConfiguration.client_id, ScopeAccess.position.is_not(None)
    )
    .correlate(ClientConfiguration)
    .scalar_subquery()
)
_claims = (
    select(
        func.json_agg(
            aggregate_order_by(
                func.json_build_array(
                    ClaimValue.claim_type,
                    ClaimValue.active_value,
                    ClaimValue.pending_value,
                    ClaimValue.pending_refused,
                    ClaimValue.reason,
                ),
                ClaimValue.position,
            )
        )
    )
    .where(ClaimValue.client_id == ClientConfiguration.client_id)
    .correlate(ClientConfiguration)
    .scalar_subquery()
)

# Everything that a client is told of itself, and whether it may be told.
CURRENT_CLIENT = HotStatement(
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        *OWN_KEY,
        newest_version().label("catalogue_version"),
        ClientChanges.counter,
        ClientConfiguration.client_system_id,
        ClientConfiguration.tenancy,
        ClientConfiguration.organization_number,
        ClientConfiguration.organization_name,
        ClientConfiguration.redirect_uris,
        ClientConfiguration.post_logout_redirect_uris,
        ClientConfiguration.child_organization_numbers,
        cast(_scopes, Text).label("scopes"),
        cast(_claims, Text).label("claims"),
        rights_of_client().label("rights"),
    )
    .outerjoin(proof_key, IS_OWN_PROOF_KEY)
    .outerjoin(ClientChanges, ClientChanges.client_id == ClientConfiguration.client_id)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
)


async def client_to_change(db: AsyncSession, client_id: UUID) -> ClientConfiguration | None:
    """The client, locked until the transaction ends: its changes go one after the other."""
    return await db.get(
        ClientConfiguration, client_id, with_for_update=True, populate_existing=True
    )


async def scopes_of(db: AsyncSession, client_id: UUID) -> set[str]:
    """The scopes that the client has or has asked for."""
    rows = await db.scalars(
        select(ScopeAccess.scope).where(
            ScopeAccess.client_id == client_id, ScopeAccess.position.is_not(None)
        )
    )
    return set(rows)
