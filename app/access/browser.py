"""What a browser keeps for us, and which of our addresses it used.

Over https the cookies have the `__Host-` prefix, which no other host can set. A sandbox on
loopback without TLS does without: browsers take the prefix only together with `Secure`.
"""

from datetime import UTC, datetime
from uuid import UUID

from litestar.datastructures import Cookie

from app.access.authentication import origin_of
from app.access.login import ATTEMPT_LIFE, SESSION_LIFE
from app.access.login_sessions import OpenSession, open_session
from app.settings import Settings
from app.web.forms import PageRequest, origin_of_url

LOGIN_COOKIE = "login"
SESSION_COOKIE = "session"


async def session_for(request: PageRequest, client_id: UUID) -> OpenSession | None:
    """The session of a person who has logged in for the pages of this client."""
    secret = cookie_value(request, SESSION_COOKIE)
    if not secret:
        return None
    settings: Settings = request.app.state.settings
    async with request.app.state.database.sessions() as db:
        return await open_session(
            db,
            secret,
            client_id,
            origin=origin_of(request),
            secret_key=settings.secret_key,
            now=datetime.now(UTC),  # a login is never judged by the domain's clock
        )


def public_base(request: PageRequest) -> str:
    """The public address that the browser used: its cookies belong to that host."""
    settings: Settings = request.app.state.settings
    host = request.headers.get("host", "")
    for base in settings.public_base_urls:
        if origin_of_url(base).partition("://")[2] == host:
            return base
    return settings.base_url


def cookie_value(request: PageRequest, cookie: str) -> str | None:
    return request.cookies.get(_name(cookie, request.app.state.settings))


def login_cookie(settings: Settings, state: str) -> Cookie:
    return _cookie(LOGIN_COOKIE, state, int(ATTEMPT_LIFE.total_seconds()), settings)


def session_cookie(settings: Settings, secret: str) -> Cookie:
    return _cookie(SESSION_COOKIE, secret, int(SESSION_LIFE.total_seconds()), settings)


def no_login_cookie(settings: Settings) -> Cookie:
    """What ends an attempt in the browser too."""
    return _cookie(LOGIN_COOKIE, "", 0, settings)


def _cookie(cookie: str, value: str, seconds: int, settings: Settings) -> Cookie:
    return Cookie(
        key=_name(cookie, settings),
        value=value,
        path="/",
        max_age=seconds,
        secure=_is_https(settings),
        httponly=True,
        samesite="lax",
    )


def _name(cookie: str, settings: Settings) -> str:
    return f"__Host-{cookie}" if _is_https(settings) else cookie


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
