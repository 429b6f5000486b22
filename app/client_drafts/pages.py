"""The page on which a person confirms or declines a draft. GET decides nothing.

Before login the page is the same for every id. The form is bound to the session, the draft and
all that was shown; when any of it has changed, the page comes again and says so.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from app.access.browser import session_for
from app.access.login import Standing, standing
from app.access.login_sessions import Goal, OpenSession
from app.client_drafts.decision_form import Action, DecisionForm, faults_of, read_decision
from app.client_drafts.login_pages import LoginNotice, login_page, page_address
from app.client_drafts.models import ClientDraft
from app.client_drafts.outcomes import address_after, outcome_page
from app.client_drafts.page_view import ShownDraft, Surroundings, is_still_offered, shown_draft
from app.client_drafts.redirects import legacy_redirect
from app.client_drafts.rules import DraftExpired, DraftStatus, status_now
from app.client_drafts.use_cases import (
    Decided,
    confirm_client_draft,
    decline_client_draft,
    open_client_draft,
)
from app.client_keys.rules import KeyTaken
from app.organizations.queries import organization_names
from app.settings import Settings
from app.state_machine import WrongState
from app.web.forms import PageRequest, form_token, is_form_token, own_form
from app.web.languages import Language, chosen_language
from app.web.pages import (
    EXCEPTION_HANDLERS,
    Answer,
    Page,
    go_to,
    language_of,
    message,
    show,
    with_lang,
)

NOTICES = {Standing.TOO_OLD: LoginNotice.TOO_OLD, Standing.TOO_WEAK: LoginNotice.TOO_WEAK}


class Visit(Struct, frozen=True):
    """A logged-in person at a draft that can be decided."""

    request: PageRequest
    session: OpenSession
    draft: ClientDraft
    shown: ShownDraft
    language: Language

    @property
    def bound_to(self) -> tuple[bytes, bytes, bytes]:
        return self.session.digest, self.draft.client_id.bytes, self.shown.digest


@get("/confirm-client/{client_id:str}")
async def confirmation_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await _visit(request, _goal(request, client_id))
    return _draft_page(visit) if isinstance(visit, Visit) else visit


@get("/confirm-client/{client_id:str}/decline")
async def decline_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await _visit(request, _goal(request, client_id))
    return _decline_page(visit) if isinstance(visit, Visit) else visit


@get("/confirm-client/{client_id:str}/decision")
async def back_to_page(request: PageRequest, client_id: FromPath[str]) -> Response[None]:
    """For who loads the address of the form's answer."""
    goal = _goal(request, client_id)
    return go_to(with_lang(page_address(goal.client_id), language_of(request)))


@post("/confirm-client/{client_id:str}/decision")
async def decide(request: PageRequest, client_id: FromPath[str]) -> Answer:
    """Every decision is answered by sending the browser on; a page comes when there is none."""
    settings: Settings = request.app.state.settings
    fields = await own_form(request, settings.public_base_urls)
    form = read_decision(fields)
    visit = await _visit(request, _goal(request, client_id, lang=fields.get("lang")), form.action)
    if not isinstance(visit, Visit):
        return visit
    if not is_form_token(fields.get("formToken"), settings.secret_key, *visit.bound_to):
        return _draft_page(visit, form, changed=True)
    if faults := faults_of(form, visit.shown):
        if form.action is Action.DECLINE:
            return _decline_page(visit, faults)
        return _draft_page(visit, form, faults)
    return await _decided(visit, form)


async def _visit(request: PageRequest, goal: Goal, action: Action | None = None) -> Visit | Answer:
    """The visit, or the page to see instead of the draft's. `action` is about to be taken."""
    session = await session_for(request, goal.client_id)
    if session is None:
        return login_page(request, goal)
    language = Language(goal.language)
    if action and (notice := _login_notice(request, session)):
        again = Goal(goal.client_id, language, session.redirect_port, session.redirect_path)
        return login_page(request, again, notice=notice)
    draft = await _opened(request, goal, session)
    if draft is None:
        return message(request, "unknown", status=HTTPStatus.NOT_FOUND, language=language)
    status = status_now(draft.status, draft.expires_at, request.app.state.clock())
    if status is not DraftStatus.PENDING:
        if action:
            return go_to(address_after(draft, status, action, language))
        return outcome_page(request, draft, status, language)
    around = await _surroundings(request, draft, language)
    if not is_still_offered(draft, around.catalogue):
        return outcome_page(request, draft, status, language, name="no_longer_offered")
    return Visit(request, session, draft, shown_draft(draft, around), language)


def _goal(request: PageRequest, client_id: str, *, lang: str | None = None) -> Goal:
    """What the link asks for. An id that cannot be one leads nowhere, for anybody."""
    try:
        parsed = UUID(client_id)
    except ValueError:
        raise NotFoundException from None
    asked = request.query_params
    language = chosen_language(lang, None) if lang else language_of(request)
    redirect = legacy_redirect(asked.get("redirectPort"), asked.get("redirectPath"))
    return Goal(parsed, language, *(redirect or (None, None)))


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
    given = goal if goal.redirect_port is not None else session
    async with state.database.sessions() as db:
        return await open_client_draft(
            db,
            session.user,
            goal.client_id,
            redirect_port=given.redirect_port,
            redirect_path=given.redirect_path,
            now=state.clock(),
        )


async def _surroundings(
    request: PageRequest, draft: ClientDraft, language: Language
) -> Surroundings:
    state = request.app.state
    numbers = [draft.organization_number, *draft.asked.child_organization_numbers]
    async with state.database.sessions() as db:
        names = await organization_names(db, numbers)
    return Surroundings(await state.catalogues.in_force(), state.settings, language, names)


async def _decided(visit: Visit, form: DecisionForm) -> Answer:
    state, draft = visit.request.app.state, visit.draft
    try:
        decided = await _take_decision(visit, form)
    except (WrongState, DraftExpired):
        # Somebody else, or another tab, or time, was faster: the page says what is so.
        return go_to(with_lang(page_address(draft.client_id), visit.language))
    except KeyTaken:
        return outcome_page(
            visit.request,
            draft,
            DraftStatus.PENDING,
            visit.language,
            name="key_taken",
            http_status=HTTPStatus.CONFLICT,
        )
    if decided.published_version is not None:
        await state.published(draft.client_id, decided.published_version)
    return go_to(address_after(decided.draft, decided.draft.status, form.action, visit.language))


async def _take_decision(visit: Visit, form: DecisionForm) -> Decided:
    state, user, client_id = visit.request.app.state, visit.session.user, visit.draft.client_id
    async with state.database.sessions() as db:
        if form.action is Action.DECLINE:
            assert form.reason is not None  # its absence was a fault
            return await decline_client_draft(
                db, user, client_id, reason=form.reason, now=state.clock()
            )
        return await confirm_client_draft(
            db,
            user,
            client_id,
            catalogue=await state.catalogues.in_force(),
            settings=state.settings,
            contact_email=form.contact_email or None,
            now=state.clock(),
        )


def _draft_page(
    visit: Visit,
    form: DecisionForm | None = None,
    faults: dict[str, str] | None = None,
    *,
    changed: bool = False,
) -> Response[str]:
    refused = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return _page(
        visit,
        "draft.html",
        status=HTTPStatus.CONFLICT if changed else refused,
        faults=faults or {},
        changed=changed,
        contact_email=form.contact_email if form else "",
        typed_code=form.pairing_code if form else "",
    )


def _decline_page(visit: Visit, faults: dict[str, str] | None = None) -> Response[str]:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return _page(visit, "decline.html", status=status, faults=faults or {})


def _page(visit: Visit, template: str, *, status: int, **shown: object) -> Response[str]:
    address = page_address(visit.draft.client_id)
    token = form_token(visit.request.app.state.settings.secret_key, *visit.bound_to)
    page = Page(
        template=template,
        language=visit.language,
        address=address if template == "draft.html" else f"{address}/decline",
        status=status,
        shown={
            "draft": visit.shown,
            "person": visit.session.user.name,
            "address": address,
            "form_token": token,
            **shown,
        },
    )
    return show(visit.request, page)


router = Router(
    "/",
    route_handlers=[confirmation_page, decline_page, back_to_page, decide],
    exception_handlers=EXCEPTION_HANDLERS,
    include_in_schema=False,
)
