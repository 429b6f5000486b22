from typing import Any

import msgspec
from litestar import Request, get

from app.access.authentication import client_that_reads
from app.apis.queries import Catalogues
from app.client_keys.queries import standing_of
from app.clients.standing import check_standing
from app.delegations.wire import MultiTenantDelegation


@get(
    "/multi-tenant-delegations",
    operation_id="getMultiTenantDelegations",
    summary="List who has delegated",
    tags=["MultiTenantDelegations"],
)
async def get_multi_tenant_delegations(
    request: Request[Any, Any, Any],
) -> list[MultiTenantDelegation]:
    """The organizations that let the calling client act for them; none for a single-tenant one."""
    caller = await client_that_reads(request)
    async with request.app.state.database.sessions() as db:
        standing = await standing_of(db, caller.client_id, caller.key_thumbprint)
    check_standing(standing[0] if standing else None, key_has_ended=bool(standing and standing[1]))
    catalogues: Catalogues = request.app.state.catalogues
    declared = (await catalogues.in_force()).declared_clients.get(caller.client_id)
    delegations = declared.delegations if declared else []
    return msgspec.convert(delegations, list[MultiTenantDelegation], from_attributes=True)
