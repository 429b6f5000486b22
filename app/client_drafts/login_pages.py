"""Logging in, as a person sees it: a page with one button, the issuer, and back."""

import logging
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from litestar import Response, Router, get, post

from app.access.authentication import origin_of
from app.access.browser import (
    LOGIN_COOKIE,
    SESSION_COOKIE,
    cookie_value,
    login_cookie,
    no_login_cookie,
    public_base,
    session_cookie,
)
from app.access.limits import Refused, exceeded
from app.access.login import (
    CallbackAnswer,
    LoginCancelled,
    Standing,
    checked_state,
    code_challenge,
    issued_code,
    standing,
)
from app.access.login_issuer import (
    Identity,
    IssuedCode,
    LoginIssuer,
    LoginRefused,
    LoginRequest,
    LoginUnavailable,
)
from app.access.login_sessions import (
    Attempt,
    Goal,
    begin_attempt,
    start_session,
    take_attempt,
)
from app.client_drafts.limits import login_limit
from app.client_drafts.noting import note_visit
from app.client_drafts.redirects import legacy_redirect, page_address
from app.client_drafts.rules import LastVisit
from app.settings import Settings
from app.web.forms import FormRefused, PageRequest, own_form
from app.web.languages import Language, chosen_language
from app.web.pages import (
    EXCEPTION_HANDLERS,
    Answer,
    Link,
    Page,
    go_to,
    message,
    show,
    texts,
    with_lang,
)

RETRY_AFTER = {"Retry-After": "15"}

log = logging.getLogger(__name__)


class LoginNotice(StrEnum):
    """Why a person is asked to log in again."""

    NONE = ""
    TOO_OLD = "too_old"
    TOO_WEAK = "too_weak"
    CANCELLED = "cancelled"
    FAILED = "failed"


def login_page(
    request: PageRequest,
    goal: Goal,
    *,
    notice: LoginNotice = LoginNotice.NONE,
    status: int = HTTPStatus.OK,
) -> Response[str]:
    """The same for every client id, whether there is anything behind it or not."""
    page = Page(
        template="login.html",
        language=Language(goal.language),
        address=_with_redirect(goal),
        status=status,
        shown={"goal": goal, "notice": notice.value},
    )
    return show(request, page)


def _with_redirect(goal: Goal) -> str:
    """The page's address as the old link had it."""
    address = page_address(goal.client_id, shared=goal.shared)
    if goal.redirect_port is None or goal.redirect_path is None:
        return address
    return f"{address}?redirectPort={goal.redirect_port}&redirectPath={goal.redirect_path}"


@post("/login")
async def begin_login(request: PageRequest) -> Answer:
    settings: Settings = request.app.state.settings
    goal = _goal(await own_form(request, settings.public_base_urls))
    await _refuse_too_many(request)
    async with request.app.state.database.sessions() as db:
        attempt = await begin_attempt(db, goal, now=datetime.now(UTC))
    issuer: LoginIssuer = request.app.state.login
    try:
        address = await issuer.begin(
            LoginRequest(
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=code_challenge(attempt.code_verifier),
                redirect_uri=_redirect_uri(request),
                language=goal.language,
            )
        )
    except LoginUnavailable as error:
        return _unavailable(request, goal, error)
    answer = go_to(address)
    answer.set_cookie(login_cookie(settings, attempt.state))
    return answer


async def _refuse_too_many(request: PageRequest) -> None:
    """Anybody can begin a login, for any draft, and each is a row here and a call to the issuer."""
    limit = login_limit(request.scope["state"]["address"], request.app.state.settings)
    refused: Refused = request.app.state.failing
    now = datetime.now(UTC)
    refused.check(limit, now)
    async with request.app.state.database.reads.acquire() as connection:
        if await exceeded(connection, [limit], now):
            refused.add(limit, now)
            raise limit.refusal(now)


@get("/login")
async def nothing_to_log_in_to(request: PageRequest) -> Response[str]:
    """What a reload of a page that answered a form comes to."""
    return message(request, "open_link_again", status=HTTPStatus.OK)


@get("/login/callback")
async def finish_login(request: PageRequest) -> Answer:
    """Where the issuer sends the browser back to. Whatever comes of it, the attempt is spent."""
    answered = CallbackAnswer(
        *(request.query_params.get(name) for name in ("code", "state", "iss", "error"))
    )
    try:
        attempt, goal = await _attempt(request, answered)
    except LoginRefused as refused:
        log.warning("login refused", extra={"reason": str(refused)})
        return _ended(request, message(request, "login_failed", status=HTTPStatus.BAD_REQUEST))
    try:
        return await _logged_in(request, goal, await _identity(request, answered, attempt))
    except LoginCancelled:
        return await _failed(request, goal, LoginNotice.CANCELLED, HTTPStatus.OK)
    except LoginRefused as refused:
        log.warning("login refused", extra={"reason": str(refused)})
        return await _failed(request, goal, LoginNotice.FAILED, HTTPStatus.BAD_REQUEST)
    except LoginUnavailable as error:
        return _unavailable(request, goal, error)


async def _attempt(request: PageRequest, answered: CallbackAnswer) -> tuple[Attempt, Goal]:
    state = checked_state(answered, cookie=cookie_value(request, LOGIN_COOKIE))
    async with request.app.state.database.sessions() as db:
        attempt = await take_attempt(db, state, now=datetime.now(UTC))
    if attempt is None:
        raise LoginRefused("the attempt is spent, too old or unknown")
    return attempt


async def _identity(request: PageRequest, answered: CallbackAnswer, attempt: Attempt) -> Identity:
    issuer: LoginIssuer = request.app.state.login
    return await issuer.finish(
        IssuedCode(
            code=issued_code(answered, issuer=request.app.state.settings.issuer),
            code_verifier=attempt.code_verifier,
            redirect_uri=_redirect_uri(request),
            nonce=attempt.nonce,
        )
    )


async def _logged_in(request: PageRequest, goal: Goal, identity: Identity) -> Answer:
    settings: Settings = request.app.state.settings
    now = datetime.now(UTC)
    stands = standing(
        identity.auth_time,
        identity.security_level,
        required_level=settings.security_level,
        now=now,
    )
    if stands is Standing.TOO_WEAK:
        return await _failed(request, goal, LoginNotice.TOO_WEAK, HTTPStatus.FORBIDDEN)
    if stands is Standing.TOO_OLD:
        raise LoginRefused("the issuer let an old login stand")
    if identity.person is None and request.app.state.person_rights is not None:
        raise LoginRefused("the issuer gives no number to ask Altinn about")
    async with request.app.state.database.sessions() as db:
        secret = await start_session(
            db,
            goal,
            identity,
            origin=origin_of(request),
            ends=cookie_value(request, SESSION_COOKIE),
            secret_key=settings.secret_key,
            now=now,
        )
    address = page_address(goal.client_id, shared=goal.shared)
    answer = go_to(with_lang(address, Language(goal.language)))
    answer.set_cookie(session_cookie(settings, secret))
    answer.set_cookie(no_login_cookie(settings))
    return answer


async def _failed(
    request: PageRequest, goal: Goal, notice: LoginNotice, status: int
) -> Response[str]:
    """Whoever waits is told that somebody tried, and not who."""
    state = request.app.state
    async with state.database.sessions() as db:
        await note_visit(db, goal.client_id, LastVisit.LOGIN_FAILED, now=state.clock())
    return _ended(request, login_page(request, goal, notice=notice, status=status))


def _ended(request: PageRequest, answer: Response[str]) -> Response[str]:
    answer.set_cookie(no_login_cookie(request.app.state.settings))
    return answer


def _unavailable(request: PageRequest, goal: Goal, error: LoginUnavailable) -> Response[str]:
    log.error("the issuer cannot log anybody in", extra={"reason": str(error)})
    language = Language(goal.language)
    address = _with_redirect(goal)
    return message(
        request,
        "issuer_down",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        language=language,
        address=address,
        headers=RETRY_AFTER,
        back=Link(with_lang(address, language), texts(language)["site"]["try_again"]),
    )


def _goal(form: dict[str, str]) -> Goal:
    try:
        client_id = UUID(form.get("clientId", ""))
    except ValueError:
        raise FormRefused("The form names no client.") from None
    language = chosen_language(form.get("lang"), None)
    if form.get("shared"):
        return Goal(client_id, language, shared=True)
    redirect = legacy_redirect(form.get("redirectPort"), form.get("redirectPath"))
    return Goal(client_id, language, *(redirect or (None, None)))


def _redirect_uri(request: PageRequest) -> str:
    return f"{public_base(request)}/login/callback"


router = Router(
    "/",
    route_handlers=[begin_login, nothing_to_log_in_to, finish_login],
    exception_handlers=EXCEPTION_HANDLERS,
    include_in_schema=False,
)
