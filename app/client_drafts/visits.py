"""Who has come to which draft, and what there is to see: the draft's page, or another one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from litestar.exceptions import NotFoundException
from msgspec import Struct

from app.access.browser import session_for
from app.access.login import Standing, standing
from app.access.login_sessions import Goal, OpenSession
from app.apis.catalogue import Catalogue
from app.client_drafts.decision_form import Action
from app.client_drafts.login_pages import LoginNotice, login_page
from app.client_drafts.models import ClientDraft
from app.client_drafts.noting import note_visit
from app.client_drafts.outcomes import (
    address_after,
    code_for,
    outcome_page,
    outdated_page,
)
from app.client_drafts.page_view import ShownDraft, Surroundings, shown_draft
from app.client_drafts.redirects import legacy_redirect, page_address
from app.client_drafts.replaced import last_seen
from app.client_drafts.rights import Decider, MayDecide, may_decide
from app.client_drafts.rules import DraftStatus, LastVisit, visit_after
from app.client_drafts.use_cases import open_client_draft
from app.client_drafts.validity import outdated
from app.organizations.memory import Found
from app.organizations.queries import organization_names
from app.organizations.use_cases import organization_of
from app.web.forms import PageRequest
from app.web.languages import Language, chosen_language
from app.web.pages import Answer, go_to, language_of, message

NOTICES = {Standing.TOO_OLD: LoginNotice.TOO_OLD, Standing.TOO_WEAK: LoginNotice.TOO_WEAK}


class Visit(Struct, frozen=True):
    """A logged-in person at a draft that can be decided."""

    request: PageRequest
    session: OpenSession
    draft: ClientDraft
    shown: ShownDraft
    language: Language
    catalogue: Catalogue
    shared: bool
    """By the link that is passed on."""
    may: MayDecide

    @property
    def decider(self) -> Decider:
        return Decider(self.session.person, self.session.user.security_level)

    @property
    def address(self) -> str:
        return page_address(self.draft.client_id, shared=self.shared)

    @property
    def bound_to(self) -> tuple[bytes, bytes, bytes]:
        """What a form of this visit is good for."""
        return self.session.digest, self.draft.client_id.bytes, self.shown.digest


def goal_of(request: PageRequest, client_id: str, form: Mapping[str, str] | None = None) -> Goal:
    """What the link, or the form on its page, asks for.

    An id that cannot be one leads nowhere, for anybody.
    """
    try:
        parsed = UUID(client_id)
    except ValueError:
        raise NotFoundException from None
    asked = request.query_params
    lang = (form or {}).get("lang")
    language = chosen_language(lang, None) if lang else language_of(request)
    if (asked if form is None else form).get("shared"):
        return Goal(parsed, language, shared=True)
    redirect = legacy_redirect(asked.get("redirectPort"), asked.get("redirectPath"))
    return Goal(parsed, language, *(redirect or (None, None)))


async def visit_of(
    request: PageRequest, goal: Goal, action: Action | None = None
) -> Visit | Answer:
    """The visit, or what comes instead of the draft's page. `action` is about to be taken."""
    session = await session_for(request, goal.client_id)
    if session is None:
        return login_page(request, goal)
    language = Language(goal.language)
    again = _goal_again(goal, session)
    if action and (notice := _login_notice(request, session)):
        return login_page(request, again, notice=notice)
    if session.person is None and request.app.state.person_rights is not None:
        return login_page(request, again)
    draft = await _opened(request, goal, session)
    if draft is None:
        return message(request, "unknown", status=HTTPStatus.NOT_FOUND, language=language)
    status = draft.status_at(request.app.state.clock())
    if status is DraftStatus.PENDING:
        return await _pending(request, session, draft, again)
    code = code_for(draft, session.user, request.app.state.settings.secret_key)
    if action:
        after = address_after(draft, status, action, language, code=code, shared=goal.shared)
        return go_to(after)
    return outcome_page(request, draft, status, language, code=code, shared=goal.shared)


def _goal_again(goal: Goal, session: OpenSession) -> Goal:
    """The same after another login; what the first link brought along is in the session."""
    if goal.shared:
        return goal
    return Goal(goal.client_id, goal.language, session.redirect_port, session.redirect_path)


async def _pending(
    request: PageRequest, session: OpenSession, draft: ClientDraft, goal: Goal
) -> Visit | Answer:
    state, language = request.app.state, Language(goal.language)
    catalogue = await state.catalogues.in_force()
    found = await _organization(request, draft)
    if why := outdated(draft, catalogue, found.entry if found else None, state.settings):
        return outdated_page(request, draft, why, language, shared=goal.shared)
    async with state.database.sessions() as db:
        names = await organization_names(db, draft.asked.child_organization_numbers)
        replaced = draft.replaces_keys_of
        seen = await last_seen(db, replaced) if replaced is not None else None
    if found is not None and found.entry.name is not None:
        names[draft.organization_number] = found.entry.name
    around = Surroundings(
        catalogue, state.settings, language, names, last_seen=seen, shared=goal.shared
    )
    decider = Decider(session.person, session.user.security_level)
    may = await may_decide(state.person_rights, catalogue, decider, draft.organization_number)
    if may is MayDecide.WEAK_LOGIN:
        return login_page(request, goal, notice=LoginNotice.TOO_WEAK)
    await _note(request, draft, LastVisit.LACKS_RIGHT if may is MayDecide.NO else LastVisit.OPENED)
    shown = shown_draft(draft, around)
    return Visit(request, session, draft, shown, language, catalogue, goal.shared, may)


async def _note(request: PageRequest, draft: ClientDraft, visit: LastVisit) -> None:
    if visit_after(draft.last_visit, visit) is not draft.last_visit:
        async with request.app.state.database.sessions() as db:
            await note_visit(db, draft.client_id, visit, now=request.app.state.clock())


def _login_notice(request: PageRequest, session: OpenSession) -> LoginNotice | None:
    user = session.user
    stands = standing(
        user.auth_time,
        user.security_level,
        required_level=request.app.state.settings.security_level,
        now=datetime.now(UTC),  # a login is never judged by the domain's clock
    )
    return NOTICES.get(stands)


async def _opened(request: PageRequest, goal: Goal, session: OpenSession) -> ClientDraft | None:
    state = request.app.state
    given = goal if goal.redirect_port is not None or goal.shared else session
    async with state.database.sessions() as db:
        return await open_client_draft(
            db,
            session.user,
            goal.client_id,
            redirect_port=given.redirect_port,
            redirect_path=given.redirect_path,
            now=state.clock(),
        )


async def _organization(request: PageRequest, draft: ClientDraft) -> Found | None:
    """Asked again when it is long ago, or when the register was away as the draft was made."""
    state = request.app.state
    return await organization_of(
        state.database.sessions, state.register, draft.organization_number, now=state.clock()
    )
