"""What this service tells developers: the API's document, its reference, and what problems mean.

All of it is made before the service starts, and comes from this service alone. The reference is
shown by Redoc 2.5.4, as it comes from npm; what it asks of another host, a logo, the policy stops.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from app.shipped import shipped
from app.web.conditional import is_known
from app.web.forms import PageRequest
from app.web.languages import Language
from app.web.pages import EXCEPTION_HANDLERS, Page, language_of, show

HERE = Path(__file__).parent
# OpenAPI 3.1, and the same in 3.0.3.
DOCUMENTS = ("openapi.json", "openapi-3.0.json")
REFERENCE = "/docs/v1/index.html"
REFERENCE_FILES = {
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
    "reference.css": "text/css; charset=utf-8",
}
# The viewer fills empty <style> elements by script, and one at once: the hashes are of nothing,
# and of that one's rules for scroll bars.
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@get([f"/{name}" for name in DOCUMENTS], include_in_schema=False, sync_to_thread=False)
def documents(request: PageRequest) -> Response[bytes | None]:
    """A committed document, as it is."""
    content, tag = _document(request.url.path.removeprefix("/"))
    # It holds nothing of anybody's, and tools of developers fetch it from pages of their own.
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    if is_known(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


@get(["/", "/docs", "/docs/v1"], include_in_schema=False, sync_to_thread=False)
def to_reference() -> Redirect:
    return Redirect(REFERENCE)


@get(REFERENCE, include_in_schema=False, sync_to_thread=False)
def reference(request: PageRequest) -> Response[str]:
    page = Page(
        template="reference.html",
        language=Language.EN,
        address=REFERENCE,
        headers={"Content-Security-Policy": REFERENCE_POLICY},
        shown={"files": {name: _address(name) for name in REFERENCE_FILES}},
    )
    return show(request, page)


@get("/docs/files/{digest:str}/{name:str}", include_in_schema=False, sync_to_thread=False)
def reference_files(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """What the reference page is made of: an address never gets another content."""
    if name not in REFERENCE_FILES or _file(name)[1] != digest:
        raise NotFoundException
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_file(name)[0], media_type=REFERENCE_FILES[name], headers=headers)


@get("/problems", include_in_schema=False, sync_to_thread=False)
def problem_list(request: PageRequest) -> Response[str]:
    language = language_of(request)
    problems = sorted(explanations(language).items(), key=lambda entry: entry[1]["status"])
    shown = {"problems": problems}
    page = Page(template="problems.html", language=language, address="/problems", shown=shown)
    return show(request, page)


@get("/problems/{slug:str}", include_in_schema=False, sync_to_thread=False)
def problem_page(request: PageRequest, slug: FromPath[str]) -> Response[str]:
    """What the `type` of a problem leads to."""
    language = language_of(request)
    problem = explanations(language).get(slug)
    if problem is None:
        raise NotFoundException
    page = Page(
        template="problem.html",
        language=language,
        address=f"/problems/{slug}",
        shown={"slug": slug, "problem": problem, "example": _examples().get(slug)},
    )
    return show(request, page)


@cache
def explanations(language: Language) -> Mapping[str, Mapping[str, Any]]:
    """By the slug: title, status, meaning and remedy."""
    name = f"problems.{language}.toml"
    return tomllib.loads((HERE / "texts" / name).read_text(encoding="utf-8"))


@cache
def _document(name: str) -> tuple[bytes, str]:
    content = (shipped("openapi") / name).read_bytes()
    return content, f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'


@cache
def _examples() -> Mapping[str, str]:
    """An answer of each type of problem, as the document shows it."""
    responses = json.loads(_document("openapi.json")[0])["components"]["responses"].values()
    return {
        slug: json.dumps(example["value"], indent=2, ensure_ascii=False)
        for response in responses
        for slug, example in response["content"]["application/problem+json"]["examples"].items()
    }


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = (HERE / "reference" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]


def _address(name: str) -> str:
    return f"/docs/files/{_file(name)[1]}/{name}"


reference_pages: list[ControllerRouterHandler] = [
    documents,
    Router(
        "/",
        route_handlers=[to_reference, reference, reference_files, problem_list, problem_page],
        exception_handlers=EXCEPTION_HANDLERS,
        include_in_schema=False,
    ),
]
