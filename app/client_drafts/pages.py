"""The page on which a person confirms or declines a draft. GET decides nothing.

Before login the page is the same for every id. The form is bound to the session, the draft and
all that was shown; when any of it has changed, the page comes again and says so.
"""

from http import HTTPStatus

from litestar import Response, Router, get, post
from litestar.params import FromPath

from app.client_drafts.decision_form import Action, DecisionForm, faults_of, read_decision
from app.client_drafts.login_pages import page_address
from app.client_drafts.outcomes import address_after, outcome_page, outdated_page
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
    Link,
    Page,
    go_to,
    language_of,
    message,
    show,
    texts,
    with_lang,
)

RETRY_AFTER = {"Retry-After": "15"}


@get("/confirm-client/{client_id:str}")
async def confirmation_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await visit_of(request, goal_of(request, client_id))
    return _draft_page(visit) if isinstance(visit, Visit) else visit


@get("/confirm-client/{client_id:str}/decline")
async def decline_page(request: PageRequest, client_id: FromPath[str]) -> Answer:
    visit = await visit_of(request, goal_of(request, client_id))
    return _decline_page(visit) if isinstance(visit, Visit) else visit


@get("/confirm-client/{client_id:str}/decision")
async def back_to_page(request: PageRequest, client_id: FromPath[str]) -> Response[None]:
    """For who loads the address of the form's answer."""
    goal = goal_of(request, client_id)
    return go_to(with_lang(page_address(goal.client_id), language_of(request)))


@post("/confirm-client/{client_id:str}/decision")
async def decide(request: PageRequest, client_id: FromPath[str]) -> Answer:
    """Every decision is answered by sending the browser on; a page comes when there is none."""
    settings: Settings = request.app.state.settings
    fields = await own_form(request, settings.public_base_urls)
    form = read_decision(fields)
    visit = await visit_of(
        request, goal_of(request, client_id, lang=fields.get("lang")), form.action
    )
    if not isinstance(visit, Visit):
        return visit
    if not is_form_token(fields.get("formToken"), settings.secret_key, *visit.bound_to):
        return _draft_page(visit, form, changed=True)
    if form.action is Action.CONFIRM and visit.shown.organization.name is None:
        return _unnamed(visit)
    if faults := faults_of(form, visit.shown):
        if form.action is Action.DECLINE:
            return _decline_page(visit, faults)
        return _draft_page(visit, form, faults)
    return await _decided(visit, form)


async def _decided(visit: Visit, form: DecisionForm) -> Answer:
    state, draft = visit.request.app.state, visit.draft
    try:
        decided = await _take_decision(visit, form)
    except (WrongState, DraftExpired):
        # Somebody else, or another tab, or time, was faster: the page says what is so.
        return go_to(with_lang(page_address(draft.client_id), visit.language))
    except DraftOutdated as why:
        return outdated_page(visit.request, draft, why, visit.language)
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


def _unnamed(visit: Visit) -> Answer:
    """Nobody confirms for an organization of which the page can only show the number."""
    address = page_address(visit.draft.client_id)
    return message(
        visit.request,
        "register_down",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        language=visit.language,
        address=address,
        headers=RETRY_AFTER,
        back=Link(with_lang(address, visit.language), texts(visit.language)["site"]["try_again"]),
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
