from functools import partial
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, get, put

from app.access.authentication import client_that_changes, client_that_reads
from app.access.callers import CallingClient
from app.apis.queries import Catalogues
from app.client_configurations import use_cases
from app.client_configurations.use_cases import ReadClient
from app.client_configurations.wire import (
    ClientStatusAnswer,
    ClientUpdate,
    CurrentClient,
    legacy_status,
)
from app.web.bodies import check_content_type, fields_of
from app.web.conditional import check_if_match, etag, sent_if_match, versioned
from app.web.languages import Language, chosen_language
from app.web.preferences import prefers


@get("/client", operation_id="getClient", summary="Read the client", tags=["Client"])
async def get_client(request: Request[Any, Any, Any]) -> Response[CurrentClient]:
    """What the calling client may do now, and what it waits for.

    The `ETag` changes with whatever a reader could see: send it in `If-None-Match`, and the
    answer is an empty 304 until then.
    """
    caller = await client_that_reads(request)
    language = _language(request)
    read = await _read(request, caller, language)
    return versioned(request, read.client, _tag(read, language), vary="Accept-Language")


@get(
    "/client-status",
    operation_id="getClientStatus",
    summary="Read the status in its old form",
    tags=["Client"],
    deprecated=True,
)
async def get_client_status(request: Request[Any, Any, Any]) -> Response[ClientStatusAnswer]:
    """The status as it was told before 2025: use `GET /v1/client`."""
    caller = await client_that_reads(request)
    read = await _read(request, caller, _language(request))
    body = legacy_status(read.client.api_scopes)
    return versioned(request, body, etag(read.counter, read.catalogue_version))


@put("/client", operation_id="updateClient", summary="Change the client", tags=["Client"])
async def put_client(request: Request[Any, Any, Any]) -> Response[CurrentClient | None]:
    """Replace all that the calling client asks for: what is left out is given up.

    Scopes that are `ok` stay so, new ones go through approval. `Prefer: return=representation`
    gets the client as it now is.
    """
    caller = await client_that_changes(request)
    check_content_type(request.headers.get("content-type"))
    state = request.app.state
    catalogues: Catalogues = state.catalogues
    asked, errors = fields_of(await request.body(), ClientUpdate)
    version = await use_cases.change_client(
        state.database,
        await catalogues.in_force(),
        state.register,
        state.settings,
        caller,
        asked,
        errors,
        has_seen=partial(check_if_match, sent_if_match(request)),
        now=state.clock(),
    )
    if version is not None:
        await state.published(caller.client_id, version)
    if not prefers(request.headers.getall("prefer", []), "return", "representation"):
        return Response(None, status_code=HTTPStatus.NO_CONTENT)
    language = _language(request)
    read = await _read(request, caller, language)
    headers = {
        "ETag": _tag(read, language),
        "Vary": "Accept-Language",
        "Preference-Applied": "return=representation",
    }
    return Response(read.client, status_code=HTTPStatus.OK, headers=headers)


async def _read(
    request: Request[Any, Any, Any], caller: CallingClient, language: Language
) -> ReadClient:
    state = request.app.state
    return await use_cases.current_client(
        state.database, state.catalogues, caller, language=language, now=state.clock()
    )


def _tag(read: ReadClient, language: Language) -> str:
    """Reasons hold the catalogue's words, in one language."""
    return etag(read.counter, read.catalogue_version, language)


def _language(request: Request[Any, Any, Any]) -> Language:
    return chosen_language(None, request.headers.get("accept-language"))
