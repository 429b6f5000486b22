"""The controls' own process: what belongs to no client's keys, time or faults stands here itself.

It listens where only the neighbours' process comes, and wants its secret.
"""

import asyncio
import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp
from sqlalchemy import select, text

from app.adapters.http import CircuitBreaker, NoAnswer
from app.adapters.neighbours import neighbours
from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import Actor
from app.changes.listener import ClientEvents
from app.database import Database
from app.delegations.budget import shared_budgets
from app.jobs import ended
from app.notices.letters import letter_of, link_address
from app.notices.models import Notice
from app.notices.rules import MAY_BLOCK
from app.onboardings.use_cases import Surroundings
from app.onboardings.usual import UsualWaits
from app.problems import Problem, ServiceUnavailable
from app.publications.queries import DONE_CHANNEL
from app.sandbox.controls.wire import Decided, Mail, OwnersDecision, Pressed
from app.sandbox.people import People
from app.sandbox_service.clock import advance_clock, show_clock, stand_ins_clock
from app.sandbox_service.faults import replace_faults, set_faults, show_faults
from app.sandbox_service.jump import Mover
from app.sandbox_service.keys import end_key_at, restore, take_snapshot
from app.sandbox_service.operator import OPERATORS_CONTROLS
from app.sandbox_service.overview import Shown, shown
from app.sandbox_service.persons import Persons
from app.sandbox_service.seed import API_KEYS, seed
from app.sandbox_service.state import NotFollowed, SandboxState, forget_images
from app.sandbox_service.told import Told, read_told, sandbox_settings
from app.settings import Settings
from app.tables import metadata
from app.web.bodies import read_body
from app.web.frame import Frame
from app.web.problem_details import answer_exception, answer_http_exception, answer_problem
from app.worker import domain_work

ASKED_BY_PAGE_AND_STAND_INS = frozenset({"/overview", "/faults", "/mailbox", "/clock"})


def create_app() -> ASGIApp:
    """The controls, for the neighbours' process alone."""
    told = read_told(os.environ)
    settings = sandbox_settings(os.environ, told)

    def demand_secret(request: Request[Any, Any, Any]) -> None:
        given = request.headers.get("sandbox-secret", "")
        if not hmac.compare_digest(given.encode(), told.controls_secret.encode()):
            raise NotFoundException

    app = Litestar(
        route_handlers=[
            overview,
            decide,
            approve,
            reset,
            mailbox,
            show_clock,
            advance_clock,
            show_faults,
            replace_faults,
            end_key_at,
            take_snapshot,
            restore,
            *OPERATORS_CONTROLS,
        ],
        before_request=demand_secret,
        state=State({"settings": settings, "added": told.seed}),
        lifespan=[partial(_alive, settings=settings, told=told)],
        exception_handlers={
            Problem: answer_problem,
            NotFollowed: answer_not_followed,
            NoAnswer: answer_not_followed,
            HTTPException: answer_http_exception,
            Exception: answer_exception,
        },
        openapi_config=None,
        logging_config=None,
    )
    return Frame(app, trusted_proxies=[], headers={}, asked_often=ASKED_BY_PAGE_AND_STAND_INS)


@asynccontextmanager
async def _alive(app: Litestar, *, settings: Settings, told: Told) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        await database.open()
        stack.push_async_callback(database.close)
        events = ClientEvents(settings.database_url, [DONE_CHANNEL])
        await stack.enter_async_context(events)
        budgets = shared_budgets(database, settings)
        # What rests for seconds would rest for weeks of a jump.
        tireless = CircuitBreaker(after=sys.maxsize)
        others = await stack.enter_async_context(
            neighbours(settings, budgets, altinn_breaker=tireless)
        )
        state = await stack.enter_async_context(SandboxState(settings.database_url))
        tell_neighbours = await stack.enter_async_context(
            stand_ins_clock(settings, told.neighbours_url, told.controls_secret)
        )
        work = domain_work(settings, database, others, state.now)
        people = People(told.seed.persons)
        persons = Persons(database, settings, events, others.person_rights, state.now, people)
        app.state.update(
            {
                "database": database,
                "known_here": Surroundings(
                    database, persons.catalogues, settings, UsualWaits(database.sessions)
                ),
                "persons": persons,
                "sandbox": state,
                "mover": Mover(database, state, work, tell_neighbours),
            }
        )
        if told.auto_confirm:
            confirming = asyncio.create_task(persons.confirm_for_ever(), name="auto-confirm")
            stack.push_async_callback(ended, confirming)
        yield


def answer_not_followed(request: Request[Any, Any, Any], _: Exception) -> Response[bytes]:
    detail = "A process of the sandbox has not followed the change. Ask for it again."
    return answer_problem(request, ServiceUnavailable(detail))


@get("/overview")
async def overview(request: Request[Any, Any, Any]) -> Shown:
    state = request.app.state
    find = request.query_params.get("find", "").strip()
    keys = state.added.api_keys | API_KEYS
    return await shown(state.known_here, keys, find=find, now=state.sandbox.now())


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
                at=request.app.state.sandbox.now(),
            ),
        )


@get("/mailbox")
async def mailbox(request: Request[Any, Any, Any]) -> list[Mail]:
    """What has been told so far: a sandbox has no mail server, and keeps all notices."""
    state = request.app.state
    async with state.database.sessions() as db:
        notices = await db.scalars(select(Notice).order_by(Notice.id))
        return [_mail(notice, state.settings) for notice in notices]


def _mail(notice: Notice, settings: Settings) -> Mail:
    letter = letter_of(notice, settings)
    return Mail(
        client_id=notice.client_id,
        created_at=notice.created_at,
        kind=notice.kind,
        recipient=notice.recipient,
        to=notice.address,
        subject=letter.subject,
        text=letter.text,
        link=link_address(notice, settings) if notice.recipient in MAY_BLOCK else None,
    )


@post("/reset", status_code=HTTPStatus.NO_CONTENT)
async def reset(request: Request[Any, Any, Any]) -> None:
    """Everything but the audit trail, which nothing empties. The time is the real one again."""
    database: Database = request.app.state.database
    mover: Mover = request.app.state.mover
    emptied = [
        table.name for table in metadata.sorted_tables if not table.name.startswith("audit_")
    ]
    async with mover.starting_anew():
        async with database.writes.acquire() as connection:
            await set_faults(connection, [])
            await forget_images(connection)
        async with database.sessions.begin() as db:
            await db.execute(text(f"TRUNCATE {', '.join(emptied)} CASCADE"))
        await seed(request.app.state.settings, request.app.state.added)
