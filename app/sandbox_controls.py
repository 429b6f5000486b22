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
from sqlalchemy import select, text

from app.access.callers import EndUser, Origin
from app.access.login import pseudonym
from app.apis.queries import Catalogues
from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import Actor
from app.changes.listener import ClientEvents
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_of
from app.client_drafts.redirects import redirect_target
from app.client_drafts.rules import (
    DeclineReason,
    DraftExpired,
    DraftNotFound,
    DraftStatus,
    status_now,
)
from app.client_drafts.use_cases import confirm_client_draft, decline_client_draft
from app.database import Database
from app.main import application, issuer_knows, real_time
from app.problems import Problem
from app.publications.queries import DONE_CHANNEL
from app.sandbox_seed import DATA, seed
from app.settings import Settings, read_settings
from app.state_machine import WrongState
from app.tables import metadata
from app.web.bodies import read_body
from app.web.frame import Frame
from app.web.problem_details import answer_exception, answer_http_exception, answer_problem

BANNER = "Sandkasse: ingenting her er ekte. / Sandbox: nothing here is real."
LOOK_FOR_DRAFTS_EVERY = 0.2  # seconds

log = structlog.get_logger()


class Told(Struct, frozen=True, rename="camel"):
    """What the neighbours' process says of this one."""

    controls_secret: str
    auto_confirm: bool = False


class Decided(Struct, frozen=True, rename="camel"):
    """Where the person's browser would go now, and with which status."""

    client_id: UUID
    status: str
    redirect_uri: str | None


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
        persons = Persons(database, settings, events)
        app.state.update({"database": database, "persons": persons})
        if auto_confirm:
            confirming = asyncio.create_task(persons.confirm_for_ever(), name="auto-confirm")
            stack.callback(confirming.cancel)
        yield


class Persons:
    """The persons of the sandbox, doing what they would do at the page."""

    def __init__(self, database: Database, settings: Settings, events: ClientEvents) -> None:
        self.database = database
        self.settings = settings
        self.catalogues = Catalogues(database.sessions)
        self.issuer_knows = issuer_knows(database, events)
        self.habits: dict[str, str] = msgspec.json.decode((DATA / "decisions.json").read_bytes())

    async def decide(self, client_id: UUID, decision: str, person: str) -> Decided:
        """The same as the page does, the answer included; who always declines declines."""
        draft = await self._draft(client_id)
        declines = self.habits.get(draft.organization_number, decision) == "reject"
        try:
            return await (self._decline if declines else self._confirm)(draft, person)
        except DraftExpired:
            return self._went(draft, "Expired")
        except WrongState:
            # It was decided before, perhaps a moment ago. Who decides the same hears the same.
            wanted = DraftStatus.DECLINED if declines else DraftStatus.CONFIRMED
            if (await self._draft(client_id)).status != wanted:
                raise
            return self._went(draft, "Cancelled" if declines else "Success")

    async def _draft(self, client_id: UUID) -> ClientDraft:
        async with self.database.sessions() as db:
            draft = await draft_of(db, client_id)
        if draft is None:
            raise DraftNotFound
        return draft

    async def _confirm(self, draft: ClientDraft, person: str) -> Decided:
        async with self.database.sessions() as db:
            decided = await confirm_client_draft(
                db,
                self._user(person),
                draft.client_id,
                catalogue=await self.catalogues.in_force(),
                settings=self.settings,
                contact_email=None,
                now=real_time(),
            )
        if decided.published_version is not None:
            await self.issuer_knows(draft.client_id, decided.published_version)
        return self._went(draft, "Success")

    async def _decline(self, draft: ClientDraft, person: str) -> Decided:
        async with self.database.sessions() as db:
            await decline_client_draft(
                db,
                self._user(person),
                draft.client_id,
                reason=DeclineReason.NOT_ORDERED,
                now=real_time(),
            )
        return self._went(draft, "Cancelled")

    def _user(self, person: str) -> EndUser:
        return EndUser(
            pseudonym=pseudonym(person, secret_key=self.settings.secret_key),
            name=person,
            security_level=4,
            auth_time=real_time(),
            origin=Origin(address="sandbox", request_id="controls"),
        )

    def _went(self, draft: ClientDraft, status: str) -> Decided:
        address = redirect_target(
            draft.asked.post_client_confirmation_redirect_uri,
            draft.redirect_port,
            draft.redirect_path,
            status=status,
        )
        return Decided(draft.client_id, status, address)

    async def confirm_for_ever(self) -> None:
        """`--auto-confirm`: somebody presses as soon as a draft is there, once for each."""
        refused: set[UUID] = set()
        while True:
            try:
                await self._confirm_all(refused)
            except Exception as error:  # the database may be away; a person comes back later too
                log.warning("auto-confirm", why=type(error).__name__)
            await asyncio.sleep(LOOK_FOR_DRAFTS_EVERY)

    async def _confirm_all(self, refused: set[UUID]) -> None:
        for client_id in await self._pending():
            if client_id in refused:
                continue
            try:
                await self.decide(client_id, "approve", "Kari Nordmann")
            except Problem as refusal:
                refused.add(client_id)
                log.warning("auto-confirm", client_id=str(client_id), why=refusal.detail)

    async def _pending(self) -> list[UUID]:
        async with self.database.sessions() as db:
            rows = await db.execute(
                select(ClientDraft.client_id, ClientDraft.status, ClientDraft.expires_at)
                .where(ClientDraft.status == DraftStatus.PENDING)
                .order_by(ClientDraft.created_at)
            )
            now = real_time()
            return [
                client_id
                for client_id, status, expires_at in rows
                if status_now(status, expires_at, now) == DraftStatus.PENDING
            ]


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
