from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import PathParameter, QueryParameter

from app.access.authentication import client_that_changes, client_that_reads
from app.access.callers import CallingClient
from app.access.idempotency import REPLAYED, Once, sent_key
from app.access.public_jwk import KeyRefused
from app.client_keys import use_cases
from app.client_keys.acceptance import OfferedKey, offered_key
from app.client_keys.checking import check_key, show_held
from app.client_keys.leaks import note_leak
from app.client_keys.listing import keys_of
from app.client_keys.retiring import retire_key
from app.client_keys.rules import GRACE, KeyState
from app.client_keys.use_cases import AddedKey
from app.client_keys.wire import ClientSecret, ClientSecretCreated, KeyCheck, KeyChecked
from app.database import Database
from app.settings import Settings
from app.web.bodies import check_content_type, read_body
from app.web.conditional import check_if_match, etag, sent_if_match, versioned

Thumbprint = Annotated[
    str, PathParameter(description="The `jwkThumbprint` of the key, as `GET` lists it.")
]


@post(
    "/client-secret",
    operation_id="addClientSecret",
    summary="Add a key",
    tags=["ClientSecret"],
    status_code=200,
)
async def post_client_secret(request: Request[Any, Any, Any]) -> Response[ClientSecretCreated]:
    """Add a public key to the calling client. No key is removed.

    The key can be used as soon as the answer has come, unless its `state` is `activating`.
    """
    caller = await client_that_changes(request)
    check_content_type(request.headers.get("content-type"))
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    now = request.app.state.clock()
    idempotency_key = sent_key(request.headers.getall("idempotency-key", []))
    raw = await request.body()
    try:
        offered = offered_key(raw, refuse_rs=settings.refuse_rs_algorithms)
    except KeyRefused as refused:
        if refused.leaked_thumbprint:
            catalogue = await request.app.state.catalogues.in_force()
            await note_leak(database.sessions, catalogue, refused.leaked_thumbprint, now=now)
        raise
    once = Once.of(idempotency_key, "addClientSecret", str(caller.client_id), body=raw)
    # Before the proof, which is good for one time: a retry sends it again.
    added = await use_cases.earlier_answer(database, caller, once)
    added = added or await _added(request, caller, offered, once)
    answer, version = added.answer, added.published_version
    if version is not None and await request.app.state.published(caller.client_id, version):
        answer = msgspec.structs.replace(answer, state=KeyState.ACTIVE)
    return Response(answer, headers=REPLAYED if added.replayed else None)


async def _added(
    request: Request[Any, Any, Any], caller: CallingClient, offered: OfferedKey, once: Once | None
) -> AddedKey:
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    if offered.unverified_proof is not None:
        await show_held(
            database,
            caller,
            offered.key,
            offered.unverified_proof,
            urls=_urls(request),
            remembered_since=settings.proofs_not_before,
        )
    if_match = sent_if_match(request)
    return await use_cases.add_key(
        database,
        caller,
        offered.key,
        is_held=offered.unverified_proof is not None,
        has_seen=partial(check_if_match, if_match) if if_match else None,
        once=once,
        life_days=settings.key_life_days,
        time_scale=settings.time_scale,
        now=request.app.state.clock(),
    )


@get(
    "/client-secret",
    operation_id="getClientSecrets",
    summary="List the keys",
    tags=["ClientSecret"],
)
async def get_client_secrets(
    request: Request[Any, Any, Any],
    include: Annotated[
        Literal["live", "all"],
        QueryParameter(description="`live`, or `all` to list ended keys too."),
    ] = "live",
) -> Response[list[ClientSecret]]:
    """The calling client's keys, oldest first. That one was used changes no `ETag`."""
    caller = await client_that_reads(request)
    state = request.app.state
    read = await keys_of(state.database, caller, ended_too=include == "all", now=state.clock())
    return versioned(request, read.keys, etag(read.counter))


@post(
    "/client-secret/{thumbprint:str}/checks",
    operation_id="checkClientSecret",
    summary="Ask whether a key can be used",
    tags=["ClientSecret"],
    status_code=200,
)
async def post_client_secret_check(
    request: Request[Any, Any, Any],
    thumbprint: Thumbprint,
) -> KeyChecked:
    """Whether the token issuer takes the key. Retire the old key only when this says so.

    `proof` is a short JWT that the key has signed, good for this call alone.
    """
    caller = await client_that_changes(request)
    check_content_type(request.headers.get("content-type"))
    body = read_body(await request.body(), KeyCheck)
    state = request.app.state
    return await check_key(
        state.database,
        caller,
        thumbprint,
        body.proof,
        urls=_urls(request),
        remembered_since=state.settings.proofs_not_before,
        now=state.clock(),
    )


def _urls(request: Request[Any, Any, Any]) -> list[str]:
    """The call's address under each public base, as the caller spelled its path."""
    settings: Settings = request.app.state.settings
    path = request.scope["raw_path"].decode("latin-1")
    return [base + path for base in settings.public_base_urls]


@delete(
    "/client-secret/{thumbprint:str}",
    operation_id="retireClientSecret",
    summary="Retire a key",
    tags=["ClientSecret"],
)
async def delete_client_secret(
    request: Request[Any, Any, Any],
    thumbprint: Thumbprint,
    grace_seconds: Annotated[
        int,
        QueryParameter(
            name="graceSeconds",
            ge=0,
            le=30 * 24 * 3600,
            description="How long the key goes on working.",
        ),
    ] = int(GRACE.total_seconds()),
) -> None:
    """Let a key go out of use. The last usable key is not retired (409)."""
    caller = await client_that_changes(request)
    settings: Settings = request.app.state.settings
    version = await retire_key(
        request.app.state.database.sessions,
        caller,
        thumbprint,
        grace=settings.scaled(timedelta(seconds=grace_seconds)),
        has_seen=partial(check_if_match, sent_if_match(request)),
        now=request.app.state.clock(),
    )
    if version is not None:
        await request.app.state.published(caller.client_id, version)
