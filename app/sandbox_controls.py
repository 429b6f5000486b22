"""What the sandbox adds to the service: its header and banner, and its controls.

Only `onboarding sandbox` starts what stands here. The controls do with the service's own use
cases what a person or an API owner would do; they listen where only the neighbours' process
comes, and want its secret.
"""

import asyncio
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog
from litestar import Litestar, Request, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Struct
from sqlalchemy import text

from app.adapters.neighbours import neighbours
from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import Actor
from app.changes.listener import ClientEvents
from app.database import Database
from app.delegations.budget import SharedBudget
from app.main import application, real_time
from app.problems import Problem
from app.publications.queries import DONE_CHANNEL
from app.sandbox_persons import Decided, Persons
from app.sandbox_seed import seed
from app.settings import Settings, read_settings
from app.tables import metadata
from app.web.bodies import read_body
from app.web.frame import Frame
from app.web.problem_details import answer_exception, answer_http_exception, answer_problem

BANNER = "Sandkasse: ingenting her er ekte. / Sandbox: nothing here is real."

log = structlog.get_logger()


class Told(Struct, frozen=True, rename="camel"):
    """What the neighbours' process says of this one."""

    controls_secret: str
    auto_confirm: bool = False


class Pressed(Struct, frozen=True, forbid_unknown_fields=True):
    decision: Literal["approve", "reject"]
    person: str = "Kari Nordmann"


class OwnersDecision(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    client_id: UUID
    decision: Literal["approve", "refuse"]
    scope: str | None = None
    claim_type: str | None = None
    reason: str | None = None


def create_service() -> ASGIApp:
    """The service as in production, with a word on every answer that it is a sandbox."""
    return application(read_settings(os.environ), headers={"Sandbox": "true"}, banner=BANNER)


def create_app() -> ASGIApp:
    """The controls, for the neighbours' process alone."""
    settings = read_settings(os.environ)
    told = msgspec.json.decode(Path(os.environ["SANDBOX_NEIGHBOURS_FILE"]).read_bytes(), type=Told)

    def demand_secret(request: Request[Any, Any, Any]) -> None:
        given = request.headers.get("sandbox-secret", "")
        if not hmac.compare_digest(given.encode(), told.controls_secret.encode()):
            raise NotFoundException

    app = Litestar(
        route_handlers=[decide, approve, reset],
        before_request=demand_secret,
        state=State({"settings": settings}),
        lifespan=[partial(_alive, settings=settings, auto_confirm=told.auto_confirm)],
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            Exception: answer_exception,
        },
        openapi_config=None,
        logging_config=None,
    )
    return Frame(app, trusted_proxies=[], headers={})


@asynccontextmanager
async def _alive(app: Litestar, *, settings: Settings, auto_confirm: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        await database.open()
        stack.push_async_callback(database.close)
        events = ClientEvents(settings.database_url, [DONE_CHANNEL])
        await stack.enter_async_context(events)
        budget = SharedBudget(database, settings.altinn_calls_per_minute)
        others = await stack.enter_async_context(neighbours(settings, budget))
        persons = Persons(database, settings, events, others.person_rights)
        app.state.update({"database": database, "persons": persons})
        if auto_confirm:
            confirming = asyncio.create_task(persons.confirm_for_ever(), name="auto-confirm")
            stack.callback(confirming.cancel)
        yield


@post("/clients/{client_id:uuid}/decision", status_code=HTTPStatus.OK)
async def decide(request: Request[Any, Any, Any], client_id: FromPath[UUID]) -> Decided:
    pressed = read_body(await request.body(), Pressed)
    persons: Persons = request.app.state.persons
    return await persons.decide(client_id, pressed.decision, pressed.person)


@post("/approvals", status_code=HTTPStatus.NO_CONTENT)
async def approve(request: Request[Any, Any, Any]) -> None:
    asked = read_body(await request.body(), OwnersDecision)
    database: Database = request.app.state.database
    async with database.sessions() as db:
        await decide_access(
            db,
            Decision(
                client_id=asked.client_id,
                event=AccessEvent(asked.decision),
                scope=asked.scope,
                claim_type=asked.claim_type,
                reason=asked.reason,
                actor=Actor("sandbox"),
                at=real_time(),
            ),
        )


@post("/reset", status_code=HTTPStatus.NO_CONTENT)
async def reset(request: Request[Any, Any, Any]) -> None:
    """Everything but the audit trail, which nothing empties."""
    database: Database = request.app.state.database
    emptied = [
        table.name for table in metadata.sorted_tables if not table.name.startswith("audit_")
    ]
    async with database.sessions.begin() as db:
        await db.execute(text(f"TRUNCATE {', '.join(emptied)} CASCADE"))
    await seed(request.app.state.settings)
