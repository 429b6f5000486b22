"""What waits for an owner's decision, for all clients that are not closed."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus


class Waiting(Struct, frozen=True):
    client_id: UUID
    organization_number: str
    kind: str
    what: str
    since: datetime
    decide_at: datetime | None = None


async def what_waits(db: AsyncSession) -> list[Waiting]:
    """Oldest first."""
    client = (ClientConfiguration.client_id, ClientConfiguration.organization_number)
    open_ = ClientConfiguration.status != ClientStatus.CLOSED
    apis = await db.execute(
        select(*client, ApiAccess.audience, ApiAccess.since)
        .join(ApiAccess, ApiAccess.client_id == ClientConfiguration.client_id)
        .where(open_, ApiAccess.state == AccessState.PENDING)
    )
    scopes = await db.execute(
        select(*client, ScopeAccess.scope, ScopeAccess.since, ScopeAccess.decide_at)
        .join(ScopeAccess, ScopeAccess.client_id == ClientConfiguration.client_id)
        .where(open_, ScopeAccess.position.is_not(None))
        .where(ScopeAccess.state == AccessState.PENDING)
    )
    claims = await db.execute(
        select(*client, ClaimValue.claim_type, ClaimValue.pending_value, ClaimValue.since)
        .join(ClaimValue, ClaimValue.client_id == ClientConfiguration.client_id)
        .where(open_, ClaimValue.pending_value.is_not(None), ~ClaimValue.pending_refused)
    )
    found = [
        *(Waiting(row[0], row[1], "api", row[2], row[3]) for row in apis),
        *(Waiting(row[0], row[1], "scope", row[2], row[3], row[4]) for row in scopes),
        *(Waiting(row[0], row[1], "claim", f"{row[2]} = {row[3]}", row[4]) for row in claims),
    ]
    return sorted(found, key=lambda entry: (entry.since, str(entry.client_id)))
