"""Pages for people: templates in three languages, headers that keep them safe, and assets.

Everything comes from this service; nothing runs in the browser. `form-action` is left out of
the policy: browsers hold it against each redirect that follows a form, and ours lead to the
issuer's own chain of logins and to addresses of installed programs.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from app.problems import RETRY_AFTER_OUTAGE, Problem
from app.web.forms import PageRequest
from app.web.languages import (
    OWN_NAMES,
    Language,
    chosen_language,
    written_day,
    written_moment,
    written_number,
)
from app.web.problem_details import is_logged_outage

HERE = Path(__file__).parent
ASSET_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # With no-referrer a browser sends `Origin: null`, and our own forms would be refused.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Answer: TypeAlias = Response[str] | Response[None]
"""A page, or the way to one."""


class Page(Struct, frozen=True, kw_only=True):
    """One page to be shown: the template, what it shows, and where it is found again."""

    template: str
    language: Language
    address: str
    """Where the language links lead; `lang` is added."""
    status: int = 200
    headers: Mapping[str, str] = {}
    shown: Mapping[str, Any] = {}


class Link(Struct, frozen=True):
    address: str
    text: str


def show(request: PageRequest, page: Page) -> Response[str]:
    state = request.app.state
    text = (
        _templates()
        .get_template(page.template)
        .render(
            page.shown,
            t=texts(page.language),
            language=page.language,
            languages=[
                (other, OWN_NAMES[other], with_lang(page.address, other)) for other in Language
            ],
            operator=state.settings.operator,
            banner=state.banner,
        )
    )
    return Response(
        text,
        status_code=page.status,
        media_type=MediaType.HTML,
        headers={**HEADERS, "Content-Language": page.language, **page.headers},
    )


def go_to(address: str) -> Response[None]:
    """On with a GET, whatever the method was."""
    return Response(
        None, status_code=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": address}
    )


def with_lang(address: str, language: Language) -> str:
    return f"{address}{'&' if '?' in address else '?'}lang={language}"


def language_of(request: PageRequest) -> Language:
    return chosen_language(request.query_params.get("lang"), request.headers.get("accept-language"))


@cache
def texts(language: Language) -> Mapping[str, Any]:
    return tomllib.loads((HERE / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = asset_address
    environment.filters["fill"] = str.format_map
    environment.filters["number"] = written_number
    environment.filters["moment"] = written_moment
    environment.filters["day"] = written_day
    return environment


@cache
def asset(name: str) -> tuple[bytes, str]:
    """A file that pages may use, and the start of its hash, which makes its address its own."""
    content = (HERE / "assets" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]


def asset_address(name: str) -> str:
    return f"/assets/{asset(name)[1]}/{name}"


@get("/assets/{digest:str}/{name:str}", include_in_schema=False, sync_to_thread=False)
def assets(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A page's stylesheet or picture: an address never gets another content."""
    path = HERE / "assets" / name
    if path.suffix not in ASSET_TYPES or path.parent != HERE / "assets" or not path.is_file():
        raise NotFoundException
    content, expected = asset(name)
    if digest != expected:
        raise NotFoundException
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=ASSET_TYPES[path.suffix], headers=headers)


def message(
    request: PageRequest,
    name: str,
    *,
    status: int,
    language: Language | None = None,
    address: str | None = None,
    headers: Mapping[str, str] | None = None,
    back: Link | None = None,
    **values: str,
) -> Response[str]:
    """A page that says what is so, by the name of its texts, whose gaps `values` fill."""
    language = language or language_of(request)
    page = Page(
        template="message.html",
        language=language,
        address=address or request.url.path,
        status=status,
        headers=headers or {},
        shown={"message": texts(language)["message"][name], "values": values, "back": back},
    )
    return show(request, page)


def _answer_http_exception(request: PageRequest, exception: HTTPException) -> Response[str]:
    if exception.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _answer_exception(request, exception)
    found = exception.status_code != HTTPStatus.NOT_FOUND
    name = "bad_request" if found else "not_found"
    return message(request, name, status=exception.status_code, headers=exception.headers)


# What a page says of a problem, where it is another than that the request is no good.
_MESSAGES: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "not_from_own_page",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}


def _answer_problem(request: PageRequest, problem: Problem) -> Response[str]:
    name = _MESSAGES.get(problem.status, "bad_request")
    return message(request, name, status=problem.status, headers=problem.headers)


def _answer_exception(request: PageRequest, exception: Exception) -> Response[str]:
    trace_id = request.scope["state"]["trace_id"]
    if is_logged_outage(exception, trace_id):
        retry = {"Retry-After": str(RETRY_AFTER_OUTAGE)}
        return message(request, "unavailable", status=503, headers=retry)
    return message(request, "unexpected", status=500, trace_id=trace_id)


# For the routers of pages: what goes wrong there is told by a page.
EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    HTTPException: _answer_http_exception,
    Problem: _answer_problem,
    Exception: _answer_exception,
}
