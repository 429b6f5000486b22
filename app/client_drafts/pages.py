"""The page on which a person confirms or declines a draft. GET decides nothing.

Before login the page is the same for every id. The form is bound to the session, the draft and
all that was shown; when any of it has changed, the page comes again and says so.
"""

from datetime import UTC, datetime
from http import HTTPStatus

from litestar import Response, Router, get, post
from litestar.params import FromPath

from app.access.limits import exceeded
from app.client_drafts.decision_form import (
    Action,
    DecisionForm,
    faults_of,
    read_decision,
    types_code,
)
from app.client_drafts.limits import typed_code_limits
from app.client_drafts.outcomes import (
    address_after,
    code_for,
    outcome_page,
    outdated_page,
)
from app.client_drafts.parking import park_client_draft
from app.client_drafts.passing_on import leave_page, no_right_page, pass_on
from app.client_drafts.redirects import page_address
from app.client_drafts.rights import MayDecide
from app.client_drafts.rules import DraftExpired, DraftOutdated, DraftStatus
from app.client_drafts.use_cases import Decided, confirm_client_draft, decline_client_draft
from app.client_drafts.visits import Visit, goal_of, visit_of
from app.client_keys.rules import KeyTaken
from app.settings import Settings
from app.state_machine import WrongState
from app.web.forms import PageRequest, form_token, is_form_token, own_form
from app.web.pages import (
    EXCEPTION_HANDLERS,
    Answer,
    Page,
    go_to,
    language_of,
    show,
    with_lang,
)


@get("/confirm-client/{client_id:str}")
async def confirmation_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await visit_of(request, goal_of(request, client_id))
    if not isinstance(visit, Visit):
        return visit
    return await _instead(visit, Action.CONFIRM) or _draft_page(visit)


@get("/confirm-client/{client_id:str}/decline")
async def decline_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await visit_of(request, goal_of(request, client_id))
    if not isinstance(visit, Visit):
        return visit
    return await _instead(visit, Action.DECLINE) or _decline_page(visit)


@get("/confirm-client/{client_id:str}/decision")
async def back_to_page(request: PageRequest, client_id: FromPath[str]) -> Response[None]:
    """For who loads the address of the form's answer."""
    goal = goal_of(request, client_id)
    address = page_address(goal.client_id, shared=goal.shared)
    return go_to(with_lang(address, language_of(request)))


@post("/confirm-client/{client_id:str}/decision")
async def decide(request: PageRequest, client_id: FromPath[str]) -> Answer:
    """Every decision is answered by sending the browser on; a page comes when there is none."""
    settings: Settings = request.app.state.settings
    fields = await own_form(request, settings.public_base_urls)
    form = read_decision(fields)
    visit = await visit_of(request, goal_of(request, client_id, fields), form.action)
    if not isinstance(visit, Visit):
        return visit
    if page := await _instead(visit, form.action, status=HTTPStatus.FORBIDDEN):
        return page
    if not is_form_token(fields.get("formToken"), settings.secret_key, *visit.bound_to):
        return _draft_page(visit, form, changed=True)
    if form.action is Action.CONFIRM and visit.shown.only_at_program:
        return _draft_page(visit, form)
    too_often = types_code(form, visit.shown) and await _typed_too_often(visit)
    if faults := faults_of(form, visit.shown, too_often=too_often):
        if form.action is Action.DECLINE:
            return _decline_page(visit, faults)
        return _draft_page(visit, form, faults)
    return await _decided(visit, form)


async def _instead(
    visit: Visit, action: Action, *, status: int = HTTPStatus.OK
) -> Response[str] | None:
    """The page of a person who may not take this decision.

    A yes is kept until Altinn answers. A no would end the draft of whoever may answer it.
    """
    if visit.may is MayDecide.NO:
        return await no_right_page(visit, status=status)
    if visit.may is MayDecide.UNKNOWN and action is Action.DECLINE:
        return leave_page(visit, status=status)
    return None


async def _typed_too_often(visit: Visit) -> bool:
    state, address = visit.request.app.state, visit.session.user.origin.address
    limits = typed_code_limits(visit.draft.client_id, address)
    async with state.database.reads.acquire() as connection:
        return bool(await exceeded(connection, limits, datetime.now(UTC)))


async def _decided(visit: Visit, form: DecisionForm) -> Answer:
    state, draft = visit.request.app.state, visit.draft
    try:
        decided = await _take_decision(visit, form)
    except (WrongState, DraftExpired):
        # Somebody else, or another tab, or time, was faster: the page says what is so.
        return go_to(with_lang(visit.address, visit.language))
    except DraftOutdated as why:
        return outdated_page(visit.request, draft, why, visit.language, shared=visit.shared)
    except KeyTaken:
        return outcome_page(
            visit.request,
            draft,
            DraftStatus.PENDING,
            visit.language,
            name="key_taken",
            http_status=HTTPStatus.CONFLICT,
            shared=visit.shared,
        )
    if decided.published_version is not None:
        await state.published(draft.final_client_id, decided.published_version)
    after = decided.draft
    return go_to(
        address_after(
            after,
            after.status,
            form.action,
            visit.language,
            code=code_for(after, visit.session.user, state.settings.secret_key),
            shared=visit.shared,
        )
    )


async def _take_decision(visit: Visit, form: DecisionForm) -> Decided:
    state, user, client_id = visit.request.app.state, visit.session.user, visit.draft.client_id
    async with state.database.sessions() as db:
        if form.action is Action.DECLINE:
            assert form.reason is not None  # its absence was a fault
            return await decline_client_draft(
                db, user, client_id, reason=form.reason, now=state.clock()
            )
        if visit.may is MayDecide.UNKNOWN or visit.shown.organization.name is None:
            return await park_client_draft(
                db,
                user,
                client_id,
                person=visit.session.person,
                contact_email=form.contact_email or None,
                catalogue=visit.catalogue,
                settings=state.settings,
                now=state.clock(),
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
    below = "" if template == "draft.html" else "/decline"
    page = Page(
        template=template,
        language=visit.language,
        address=f"{address}{below}{'?shared=1' if visit.shared else ''}",
        status=status,
        shown={
            "draft": visit.shown,
            "person": visit.session.user.name,
            "address": address,
            "shared": visit.shared,
            "right_is_unknown": visit.may is MayDecide.UNKNOWN,
            "form_token": token,
            **shown,
        },
    )
    return show(visit.request, page)


router = Router(
    "/",
    route_handlers=[confirmation_page, decline_page, back_to_page, decide, pass_on],
    exception_handlers=EXCEPTION_HANDLERS,
    include_in_schema=False,
)
