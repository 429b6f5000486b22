"""The persons of the sandbox: they do what they would do at the page."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.access.callers import EndUser, Origin
from app.access.login import pseudonym
from app.access.person_numbers import PersonNumber
from app.access.person_rights import PersonRights
from app.apis.queries import Catalogues
from app.changes.listener import ClientEvents
from app.client_drafts.activation import activation_code
from app.client_drafts.models import ClientDraft
from app.client_drafts.noting import note_visit
from app.client_drafts.outcomes import word_of
from app.client_drafts.parking import park_client_draft
from app.client_drafts.queries import draft_of, newest_replacement
from app.client_drafts.redirects import redirect_target
from app.client_drafts.rights import Decider, MayDecide, may_decide
from app.client_drafts.rules import (
    DeclineReason,
    DraftExpired,
    DraftNotFound,
    DraftStatus,
    LastVisit,
    status_now,
)
from app.client_drafts.use_cases import confirm_client_draft, decline_client_draft
from app.database import Database
from app.main import issuer_knows
from app.problems import Problem
from app.publications.models import Publication
from app.sandbox.controls.wire import Decided
from app.sandbox.people import KARI, People
from app.sandbox_service.seed import DATA
from app.settings import Settings
from app.state_machine import WrongState

LOOK_FOR_DRAFTS_EVERY = 0.2  # seconds
LOOK_FOR_RIGHT_EVERY = 1.0
SECURITY_LEVEL = 4
_DECLINED = (DraftStatus.DECLINED,)
_CONFIRMED = (
    DraftStatus.CONFIRMED,
    DraftStatus.AWAITING_ACTIVATION,
    DraftStatus.AWAITING_EXCHANGE,
)

log = logging.getLogger(__name__)


class Persons:
    """The persons of the sandbox, doing what they would do at the page."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        events: ClientEvents,
        rights: PersonRights | None,
        clock: Callable[[], datetime],
        people: People,
    ) -> None:
        self.clock = clock
        self.people = people
        self.rights = rights
        self.database = database
        self.settings = settings
        self.catalogues = Catalogues(database.sessions)
        self.issuer_knows = issuer_knows(database, events)
        self.habits: dict[str, str] = msgspec.json.decode((DATA / "decisions.json").read_bytes())

    async def decide(self, client_id: UUID, decision: str, person: str) -> Decided:
        """The same as the page does, the answer included; who always declines declines."""
        draft = await self._draft(client_id)
        may = await self._may(draft, person)
        declines = self.habits.get(draft.organization_number, decision) == "reject"
        unsure = may is MayDecide.UNKNOWN
        pending = draft.status_at(self.clock()) is DraftStatus.PENDING
        if pending and (may is MayDecide.NO or (unsure and declines)):
            return await self._leave(draft, may)
        try:
            if unsure and not declines:
                return await self._park(draft, person)
            return await (self._decline if declines else self._confirm)(draft, person)
        except DraftExpired:
            return self._went(draft, "Expired")
        except WrongState:
            # It was decided before, perhaps a moment ago. Who decides the same hears the same.
            draft = await self._draft(client_id)
            if draft.status not in (_DECLINED if declines else _CONFIRMED):
                raise
            await self._issuer_knows_newest(draft.final_client_id)
            return self._went(draft, word_of(draft, draft.status))

    async def _leave(self, draft: ClientDraft, may: MayDecide) -> Decided:
        if may is MayDecide.NO:
            async with self.database.sessions() as db:
                await note_visit(db, draft.client_id, LastVisit.LACKS_RIGHT, now=self.clock())
        return self._went(draft, "Rejected")

    async def _issuer_knows_newest(self, client_id: UUID) -> None:
        """Who decided a moment before may still wait for it: the same answer means the same."""
        async with self.database.sessions() as db:
            wanted = select(Publication.wanted).where(Publication.client_id == client_id)
            version = await db.scalar(wanted)
        if version is not None:
            await self.issuer_knows(client_id, version)

    async def _draft(self, client_id: UUID) -> ClientDraft:
        async with self.database.sessions() as db:
            draft = await newest_replacement(db, client_id) or await draft_of(db, client_id)
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
                now=self.clock(),
            )
        if decided.published_version is not None:
            await self.issuer_knows(draft.final_client_id, decided.published_version)
        return self._went(decided.draft, word_of(decided.draft, decided.draft.status))

    async def _may(self, draft: ClientDraft, name: str) -> MayDecide:
        """Who is no person of the sandbox holds no right there."""
        person = self.people.named(name)
        if person is None and self.rights is not None:
            return MayDecide.NO
        return await may_decide(
            self.rights,
            await self.catalogues.in_force(),
            Decider(PersonNumber(person.pid) if person else None, SECURITY_LEVEL),
            draft.organization_number,
        )

    async def _park(self, draft: ClientDraft, name: str) -> Decided:
        person = self.people.named(name)
        async with self.database.sessions() as db:
            decided = await park_client_draft(
                db,
                self._user(name),
                draft.client_id,
                person=PersonNumber(person.pid) if person else None,
                contact_email=None,
                catalogue=await self.catalogues.in_force(),
                settings=self.settings,
                now=self.clock(),
            )
        return self._went(decided.draft, "Pending")

    async def _decline(self, draft: ClientDraft, person: str) -> Decided:
        async with self.database.sessions() as db:
            await decline_client_draft(
                db,
                self._user(person),
                draft.client_id,
                reason=DeclineReason.NOT_ORDERED,
                now=self.clock(),
            )
        return self._went(draft, "Cancelled")

    def _user(self, person: str) -> EndUser:
        return EndUser(
            pseudonym=pseudonym(person, secret_key=self.settings.secret_key),
            name=person,
            security_level=SECURITY_LEVEL,
            auth_time=datetime.now(UTC),  # a login is never judged by the domain's clock
            origin=Origin(address="sandbox", request_id="controls"),
        )

    def _went(self, draft: ClientDraft, status: str) -> Decided:
        code = activation_code(draft, secret_key=self.settings.secret_key)
        address = redirect_target(
            draft.asked.post_client_confirmation_redirect_uri,
            draft.redirect_port,
            draft.redirect_path,
            status=status,
            code=code if status in ("Success", "Pending") else None,
        )
        return Decided(draft.final_client_id, status, address)

    async def confirm_for_ever(self) -> None:
        """`--auto-confirm`: somebody presses as soon as a draft is there, once for each."""
        refused: set[UUID] = set()
        while True:
            try:
                await self._confirm_all(refused)
            except Exception as error:  # the database may be away; a person comes back later too
                log.warning("auto-confirm", extra={"why": type(error).__name__})
            await asyncio.sleep(LOOK_FOR_DRAFTS_EVERY)

    async def _confirm_all(self, refused: set[UUID]) -> None:
        for client_id in await self._pending():
            if client_id in refused:
                continue
            try:
                decided = await self.decide(client_id, "approve", KARI.name)
                if decided.status == "Rejected":
                    await asyncio.sleep(LOOK_FOR_RIGHT_EVERY)
            except Problem as refusal:
                refused.add(client_id)
                extra = {"client_id": str(client_id), "why": refusal.detail}
                log.warning("auto-confirm", extra=extra)

    async def _pending(self) -> list[UUID]:
        async with self.database.sessions() as db:
            rows = await db.execute(
                select(ClientDraft.client_id, ClientDraft.status, ClientDraft.expires_at)
                .where(ClientDraft.status == DraftStatus.PENDING)
                .order_by(ClientDraft.created_at)
            )
            now = self.clock()
            return [
                client_id
                for client_id, status, expires_at in rows
                if status_now(status, expires_at, now) == DraftStatus.PENDING
            ]
