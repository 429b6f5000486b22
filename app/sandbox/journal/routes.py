"""Reading the journal, and taking over what the service's processes tell."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from app.sandbox.controls.service_controls import SECRET_HEADER, ServiceControls
from app.sandbox.journal.entries import Entry, Journal

# A feed tells of a thousand calls at a time, at the most.
LARGEST_BATCH = 64 * 1024 * 1024


@get("/requests", summary="What was asked and answered, and why something was refused")
async def list_requests_made(
    journal: NamedDependency[Journal],
    client_id: Annotated[str | None, QueryParameter(name="clientId")] = None,
    path: Annotated[str | None, QueryParameter(description="What stands in the path.")] = None,
    since: Annotated[datetime | None, QueryParameter(description="From this time on.")] = None,
    refused: Annotated[bool, QueryParameter(description="Only what was refused.")] = False,
) -> Sequence[Entry]:
    return journal.found(client_id=client_id, path=path, since=since, refused=refused)


@post(
    "/journal",
    status_code=204,
    include_in_schema=False,
    request_max_body_size=LARGEST_BATCH,
)
async def take_over_entries(
    request: Request[Any, Any, State],
    journal: NamedDependency[Journal],
    service_controls: NamedDependency[ServiceControls],
) -> None:
    given = request.headers.get(SECRET_HEADER, "")
    if not hmac.compare_digest(given.encode(), service_controls.secret.encode()):
        raise NotFoundException
    for entry in msgspec.json.decode(await request.body(), type=list[Entry]):
        journal.add(entry)
