from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import PathParameter, QueryParameter

from app.access.authentication import client_that_changes, client_that_reads
from app.access.idempotency import REPLAYED, Once, sent_key
from app.apis.queries import Catalogues
from app.delegations import use_cases
from app.delegations.wire import (
    DelegationAnswer,
    DelegationRequestAnswer,
    Delegations,
    MultiTenantDelegation,
)
from app.web.bodies import no_members
from app.web.conditional import check_if_match, etag, sent_if_match, versioned

DelegationId = Annotated[UUID, PathParameter(description="The `id` of the delegation.")]


@get(
    "/multi-tenant-delegations",
    operation_id="getMultiTenantDelegations",
    summary="List who has delegated",
    tags=["MultiTenantDelegations"],
)
async def get_multi_tenant_delegations(
    request: Request[Any, Any, Any],
) -> Response[list[MultiTenantDelegation]]:
    """The organizations that let the calling client act for them; none for a single-tenant one."""
    caller = await client_that_reads(request)
    catalogues: Catalogues = request.app.state.catalogues
    version = await catalogues.version_in_force()
    delegators = await use_cases.delegators_of(
        request.app.state.database,
        await catalogues.of(version),
        caller,
        now=request.app.state.clock(),
    )
    body = msgspec.convert(delegators.entries, list[MultiTenantDelegation], from_attributes=True)
    return versioned(request, body, etag(delegators.counter, version))


@get(
    "/client/delegations",
    operation_id="getDelegations",
    summary="List the rights in Altinn that the client needs",
    tags=["Delegations"],
)
async def get_delegations(
    request: Request[Any, Any, Any],
    limit: Annotated[
        int, QueryParameter(ge=1, le=100, description="How many at most in one answer.")
    ] = 50,
    cursor: Annotated[
        str,
        QueryParameter(
            pattern="^([0-9a-f]{32})?$", description="The `nextCursor` of the answer before."
        ),
    ] = "",
) -> Response[Delegations]:
    """Each right that the client's scopes need, whether it has been given, and who must act.

    Reading this counts as waiting: Altinn is asked more often for a while.
    """
    caller = await client_that_reads(request)
    version, known = await _known_here(request)
    page = await use_cases.delegations_of(
        **known, caller=caller, after=_row_of(cursor), limit=limit
    )
    body = Delegations(page.items, page.next_cursor)
    return versioned(request, body, etag(page.counter, version))


@get(
    "/client/delegations/{delegation_id:uuid}",
    operation_id="getDelegation",
    summary="Read one delegation",
    tags=["Delegations"],
)
async def get_delegation(
    request: Request[Any, Any, Any], delegation_id: DelegationId
) -> Response[DelegationAnswer]:
    """One right that the client needs. Reading it counts as waiting."""
    caller = await client_that_reads(request)
    version, known = await _known_here(request)
    page = await use_cases.delegations_of(**known, caller=caller, only=delegation_id)
    return versioned(request, page.items[0], etag(page.counter, version))


@post(
    "/client/delegations/{delegation_id:uuid}/checks",
    operation_id="checkDelegation",
    summary="Ask Altinn now",
    tags=["Delegations"],
    status_code=200,
)
async def post_delegation_check(
    request: Request[Any, Any, Any], delegation_id: DelegationId
) -> DelegationAnswer:
    """Have Altinn asked now instead of when it is due; at most once in ten seconds.

    What Altinn says within a second stands in the answer. Else it is there at the next read.
    """
    caller = await client_that_changes(request)
    no_members(await request.body())
    _, known = await _known_here(request)
    return await use_cases.check_now(**known, caller=caller, delegation_id=delegation_id)


@post(
    "/client/delegations/{delegation_id:uuid}/requests",
    operation_id="requestDelegation",
    summary="Request the right in Altinn",
    tags=["Delegations"],
    status_code=200,
)
async def post_delegation_request(
    request: Request[Any, Any, Any], delegation_id: DelegationId
) -> Response[DelegationRequestAnswer]:
    """Have the organization asked in Altinn for the right, and learn where it answers.

    A request that is open is answered again. Where Altinn takes no requests, the answer is a
    plain link and the steps in words.
    """
    caller = await client_that_changes(request)
    raw = await request.body()
    no_members(raw)
    sent = sent_key(request.headers.getall("idempotency-key", []))
    scope = ("requestDelegation", str(caller.client_id), str(delegation_id))
    _, known = await _known_here(request)
    asked = await use_cases.request_right(
        **known,
        altinn=request.app.state.altinn,
        caller=caller,
        delegation_id=delegation_id,
        has_seen=partial(check_if_match, sent_if_match(request)),
        once=Once.of(sent, *scope, body=raw),
    )
    return Response(asked.answer, headers=REPLAYED if asked.replayed else None)


def _row_of(cursor: str) -> UUID | None:
    """A pattern's `$` lets one line break pass."""
    return UUID(cursor.strip()) if cursor.strip() else None


async def _known_here(request: Request[Any, Any, Any]) -> tuple[int | None, dict[str, Any]]:
    """The version of the catalogue, and what every use case of this room is told."""
    state = request.app.state
    catalogues: Catalogues = state.catalogues
    version = await catalogues.version_in_force()
    known = {
        "database": state.database,
        "catalogue": await catalogues.of(version),
        "pages_url": state.settings.altinn_ui_url,
        "now": state.clock(),
    }
    return version, known
