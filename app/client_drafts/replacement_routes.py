from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, delete, get

from app.access.authentication import client_that_changes, client_that_reads
from app.client_drafts.stopping import own_replacement, stop_own_replacement
from app.client_drafts.wire import KeyReplacement
from app.web.conditional import check_if_match, etag, sent_if_match, versioned

PATH = "/client/key-replacement"


@get(
    PATH,
    operation_id="getKeyReplacement",
    summary="See whether the keys are to be replaced",
    tags=["ClientSecret"],
)
async def get_key_replacement(request: Request[Any, Any, Any]) -> Response[KeyReplacement]:
    """The key that is to take over the calling client, because somebody has said that its own
    are lost, and when that happens. 404 where there is none.
    """
    caller = await client_that_reads(request)
    state = request.app.state
    waiting = await own_replacement(state.database.sessions, caller, now=state.clock())
    at = waiting.draft.exchange_at
    assert isinstance(at, datetime)  # each that waits has its time
    body = KeyReplacement(waiting.draft.public_key.thumbprint, at)
    return versioned(request, body, etag(waiting.counter))


@delete(
    PATH,
    operation_id="stopKeyReplacement",
    summary="Stop the replacement of the keys",
    tags=["ClientSecret"],
    status_code=HTTPStatus.NO_CONTENT,
)
async def delete_key_replacement(request: Request[Any, Any, Any]) -> None:
    """Stop it: this installation is not lost. Its keys go on working."""
    caller = await client_that_changes(request)
    state = request.app.state
    await stop_own_replacement(
        state.database.sessions,
        caller,
        has_seen=partial(check_if_match, sent_if_match(request)),
        now=state.clock(),
    )
