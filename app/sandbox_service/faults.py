"""How the service fails when it is asked to: before all of it, in every process."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import asyncpg
import msgspec
from litestar import Request, get, put
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec.structs import replace

from app.database import Database
from app.sandbox.faults import Fault, fail, fits
from app.sandbox_service.state import SandboxState, waiting_faults, write_faults


async def set_faults(connection: asyncpg.Connection, faults: Sequence[Fault]) -> None:
    await write_faults(
        connection, [(msgspec.json.encode(fault).decode(), fault.times) for fault in faults]
    )


async def current_faults(connection: asyncpg.Connection) -> list[Fault]:
    return [
        replace(msgspec.json.decode(fault, type=Fault), times=times)
        for fault, times in await waiting_faults(connection)
    ]


@get("/faults")
async def show_faults(request: Request[Any, Any, Any]) -> list[Fault]:
    database: Database = request.app.state.database
    async with database.writes.acquire() as connection:
        return await current_faults(connection)


@put("/faults", status_code=HTTPStatus.NO_CONTENT)
async def replace_faults(request: Request[Any, Any, Any]) -> None:
    """The neighbours' process has looked at them."""
    faults = msgspec.json.decode(await request.body(), type=list[Fault])
    database: Database = request.app.state.database
    async with database.writes.acquire() as connection:
        await set_faults(connection, faults)


class FaultsOfService:
    """What counts is counted in the database: all processes share the times that a fault has."""

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = self._state.faults if scope["type"] == ScopeType.HTTP else ()
        fault = await self._next(waiting, scope["path"]) if waiting else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await fail(fault, self._app, scope, receive, send)

    async def _next(self, waiting: Sequence[tuple[int, str]], path: str) -> Fault | None:
        for number, text in waiting:
            fault = msgspec.json.decode(text, type=Fault)
            if not fits(fault, path):
                continue
            if fault.times is None or await self._state.use_fault(number):
                return fault
        return None
