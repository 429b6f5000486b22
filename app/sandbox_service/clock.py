"""Controls of the time, in the service's process; the stand-ins are told at each step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, get, post

from app.adapters.http import Neighbour
from app.sandbox.controls.wire import Advance, Moved, Time
from app.sandbox_service.jump import Mover, TellNeighbours
from app.sandbox_service.state import SandboxState
from app.settings import Settings
from app.web.bodies import read_body

STAND_INS_ANSWER_WITHIN = 5.0
TRIES = 3


@get("/clock")
async def show_clock(request: Request[Any, Any, Any]) -> Time:
    state: SandboxState = request.app.state.sandbox
    return Time(state.now(), state.ahead.total_seconds())


@post("/clock/advance", status_code=HTTPStatus.OK)
async def advance_clock(request: Request[Any, Any, Any]) -> Moved:
    asked = read_body(await request.body(), Advance)
    mover: Mover = request.app.state.mover
    return await mover.advance(timedelta(seconds=asked.seconds))


@asynccontextmanager
async def stand_ins_clock(
    settings: Settings, url: str | None, secret: str
) -> AsyncIterator[TellNeighbours]:
    """Telling the stand-ins how far ahead the time is; nobody where there are none."""
    neighbour = Neighbour(
        url or "",
        contact=settings.contact,
        within=STAND_INS_ANSWER_WITHIN,
        tries=TRIES,
        ca_file=settings.ca_file,
    )

    async def tell(ahead: timedelta) -> None:
        if url is not None:
            await neighbour.ask(
                "PUT",
                f"{url}/_sandbox/time",
                headers={"Sandbox-Secret": secret},
                content=msgspec.json.encode({"aheadSeconds": ahead.total_seconds()}),
            )

    async with neighbour:
        yield tell
