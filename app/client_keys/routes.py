from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import PathParameter, QueryParameter

from app.access.authentication import client_that_changes, client_that_reads
from app.access.public_jwk import KeyRefused, PublicKey
from app.client_keys import use_cases
from app.client_keys.acceptance import registrable_key, unreadable_key
from app.client_keys.rules import GRACE, KeyState
from app.client_keys.wire import ClientSecret, ClientSecretCreated
from app.database import Database
from app.problems import InvalidRequest
from app.settings import Settings
from app.web.bodies import check_content_type
from app.web.conditional import check_if_match, etag, sent_if_match, versioned
from app.web.json_text import read_json


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
    try:
        key = _key(await request.body(), settings)
    except KeyRefused as refused:
        if refused.leaked_thumbprint:
            await use_cases.note_leak(database.sessions, refused.leaked_thumbprint, now=now)
        raise
    if_match = sent_if_match(request)
    added = await use_cases.add_key(
        database,
        caller,
        key,
        has_seen=partial(check_if_match, if_match) if if_match else None,
        life_days=settings.key_life_days,
        now=now,
    )
    version = added.published_version
    if version is not None and await request.app.state.published(caller.client_id, version):
        return Response(msgspec.structs.replace(added.answer, state=KeyState.ACTIVE))
    return Response(added.answer)


def _key(raw: bytes, settings: Settings) -> PublicKey:
    """The JWK as a JSON string (official samples, helseid-cli) or as the object (libraries)."""
    try:
        value = read_json(raw)
    except InvalidRequest as refused:
        raise unreadable_key(raw, refused) from None
    return registrable_key(value, pointer="#", refuse_rs=settings.refuse_rs_algorithms)


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
    read = await use_cases.keys_of(
        state.database, caller, ended_too=include == "all", now=state.clock()
    )
    return versioned(request, read.keys, etag(read.counter))


@delete(
    "/client-secret/{thumbprint:str}",
    operation_id="retireClientSecret",
    summary="Retire a key",
    tags=["ClientSecret"],
)
async def delete_client_secret(
    request: Request[Any, Any, Any],
    thumbprint: Annotated[
        str, PathParameter(description="The `jwkThumbprint` of the key, as `GET` lists it.")
    ],
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
    version = await use_cases.retire_key(
        request.app.state.database.sessions,
        caller,
        thumbprint,
        grace=timedelta(seconds=grace_seconds),
        has_seen=partial(check_if_match, sent_if_match(request)),
        now=request.app.state.clock(),
    )
    if version is not None:
        await request.app.state.published(caller.client_id, version)
