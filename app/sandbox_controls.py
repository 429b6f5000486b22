"""What the sandbox adds to the service: its header and banner, and its controls.

Only `onboarding sandbox` starts what stands here. The controls do with the service's own use
cases what a person or an API owner would do; they listen where only the neighbours' process
comes, and want its secret.
"""

import asyncio
import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import structlog
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import Meta, Struct
from sqlalchemy import select, text

from app.adapters.http import CircuitBreaker, Neighbour, NoAnswer
from app.adapters.neighbours import neighbours
from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import Actor
from app.changes.listener import ClientEvents
from app.database import Database
from app.delegations.budget import SharedBudget
from app.main import application
from app.notices.letters import block_address, letter_of
from app.notices.models import Notice
from app.notices.rules import MAY_BLOCK, NoticeKind, Recipient
from app.problems import Problem, ServiceUnavailable
from app.publications.queries import DONE_CHANNEL
from app.sandbox_clock import DomainClock, NotFollowed
from app.sandbox_jump import Moved, Mover, TellNeighbours
from app.sandbox_overview import Shown, shown
from app.sandbox_persons import Decided, Persons
from app.sandbox_seed import seed
from app.settings import Settings, read_settings
from app.tables import metadata
from app.web.bodies import read_body
from app.web.frame import Frame
from app.web.problem_details import answer_exception, answer_http_exception, answer_problem
from app.worker import domain_work

TEN_YEARS = 10 * 366 * 86_400
STAND_INS_ANSWER_WITHIN = 5.0

BANNER = "Sandkasse: ingenting her er ekte. / Sandbox: nothing here is real."

log = structlog.get_logger()


class Told(Struct, frozen=True, rename="camel"):
    """What the neighbours' process says of this one."""

    controls_secret: str
    neighbours_url: str | None = None
    """Where the stand-ins are told the time; nowhere when there are none."""
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


class Mail(Struct, frozen=True, rename="camel"):
    """A notice as a mailbox would have it. `to` is null where nobody has given an address."""

    client_id: UUID
    kind: NoticeKind
    recipient: Recipient
    to: str | None
    subject: str
    text: str
    block_url: str | None


class Advance(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[float, Meta(ge=0, le=TEN_YEARS)]


class Time(Struct, frozen=True, rename="camel"):
    now: datetime
    ahead_seconds: float


def create_service() -> ASGIApp:
    """The service as in production, with a word on every answer that it is a sandbox."""
    settings = read_settings(os.environ)
    clock = DomainClock(settings.database_url)
    return application(
        settings, clock=clock.now, headers={"Sandbox": "true"}, banner=BANNER, beside=[clock]
    )


def create_app() -> ASGIApp:
    """The controls, for the neighbours' process alone."""
    settings = read_settings(os.environ)
    told = msgspec.json.decode(Path(os.environ["SANDBOX_NEIGHBOURS_FILE"]).read_bytes(), type=Told)

    def demand_secret(request: Request[Any, Any, Any]) -> None:
        given = request.headers.get("sandbox-secret", "")
        if not hmac.compare_digest(given.encode(), told.controls_secret.encode()):
            raise NotFoundException

    app = Litestar(
        route_handlers=[overview, decide, approve, reset, show_clock, advance_clock, mailbox],
        before_request=demand_secret,
        state=State({"settings": settings}),
        lifespan=[partial(_alive, settings=settings, told=told)],
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            Exception: answer_exception,
        },
        openapi_config=None,
        logging_config=None,
    )
    return Frame(app, trusted_proxies=[], headers={}, asked_often={"/overview"})


@asynccontextmanager
async def _alive(app: Litestar, *, settings: Settings, told: Told) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        await database.open()
        stack.push_async_callback(database.close)
        events = ClientEvents(settings.database_url, [DONE_CHANNEL])
        await stack.enter_async_context(events)
        budget = SharedBudget(database, settings.altinn_calls_per_minute)
        # What rests for seconds would rest for weeks of a jump.
        tireless = CircuitBreaker(after=sys.maxsize)
        others = await stack.enter_async_context(
            neighbours(settings, budget, altinn_breaker=tireless)
        )
        clock = await stack.enter_async_context(DomainClock(settings.database_url))
        stand_ins = await stack.enter_async_context(stand_ins_clock(settings, told))
        work = domain_work(settings, database, others, clock.now)
        mover = Mover(database, clock, work, stand_ins)
        persons = Persons(database, settings, events, others.person_rights, clock.now)
        app.state.update({"database": database, "persons": persons, "clock": clock, "mover": mover})
        if told.auto_confirm:
            confirming = asyncio.create_task(persons.confirm_for_ever(), name="auto-confirm")
            stack.callback(confirming.cancel)
        yield


@asynccontextmanager
async def stand_ins_clock(settings: Settings, told: Told) -> AsyncIterator[TellNeighbours]:
    """Telling the stand-ins how far ahead the time is."""
    url = told.neighbours_url or ""
    neighbour = Neighbour(
        url,
        contact=settings.contact,
        within=STAND_INS_ANSWER_WITHIN,
        tries=3,
        ca_file=settings.ca_file,
    )

    async def tell(ahead: timedelta) -> None:
        if url:
            await neighbour.ask(
                "PUT",
                f"{url}/_sandbox/time",
                headers={"Sandbox-Secret": told.controls_secret},
                content=msgspec.json.encode({"aheadSeconds": ahead.total_seconds()}),
            )

    async with neighbour:
        yield tell


@get("/overview")
async def overview(request: Request[Any, Any, Any]) -> Shown:
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    async with database.sessions() as db:
        return await shown(db, base_url=settings.base_url, now=request.app.state.clock.now())


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
                at=request.app.state.clock.now(),
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
        kind=notice.kind,
        recipient=notice.recipient,
        to=notice.address,
        subject=letter.subject,
        text=letter.text,
        block_url=block_address(notice, settings) if notice.recipient in MAY_BLOCK else None,
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
        async with database.sessions.begin() as db:
            await db.execute(text(f"TRUNCATE {', '.join(emptied)} CASCADE"))
        await seed(request.app.state.settings)


@get("/clock")
async def show_clock(request: Request[Any, Any, Any]) -> Time:
    clock: DomainClock = request.app.state.clock
    return Time(clock.now(), clock.ahead.total_seconds())


@post("/clock/advance", status_code=HTTPStatus.OK)
async def advance_clock(request: Request[Any, Any, Any]) -> Moved:
    asked = read_body(await request.body(), Advance)
    mover: Mover = request.app.state.mover
    try:
        return await mover.advance(timedelta(seconds=asked.seconds))
    except (NotFollowed, NoAnswer) as why:
        raise ServiceUnavailable(
            "A process of the sandbox has not followed the clock. Move it on again."
        ) from why
