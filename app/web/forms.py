"""What a page's form sends back, and the token that says it was ours."""

import hmac
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from litestar import Request
from litestar.datastructures import State

from app.problems import Problem

MOST_FIELDS = 20
FORM_TYPE = "application/x-www-form-urlencoded"


class FormRefused(Problem):
    slug = "form-refused"
    title = "The form cannot be read"
    status = HTTPStatus.BAD_REQUEST


class NotFromOwnPage(Problem):
    """Another site's page has made the browser send this."""

    slug = "not-from-own-page"
    title = "The request does not come from a page of this service"
    status = HTTPStatus.FORBIDDEN


PageRequest = Request[Any, Any, State]


async def own_form(request: PageRequest, base_urls: list[str]) -> dict[str, str]:
    """The fields of a form that one of our own pages has sent."""
    if not is_from_own_page(request, base_urls):
        raise NotFromOwnPage("Open the page again and send the form from there.")
    return read_form(await request.body(), request.headers.get("content-type", ""))


def is_from_own_page(request: PageRequest, base_urls: list[str]) -> bool:
    """Fetch metadata is what a page cannot fake; older browsers send `Origin` alone."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") in {origin_of_url(base) for base in base_urls}


def read_form(raw: bytes, content_type: str) -> dict[str, str]:
    """Each field once; the last of a repeated one counts."""
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise FormRefused(f"Send the form as {FORM_TYPE}.")
    try:
        return dict(
            parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        )
    except ValueError:
        raise FormRefused("The form's fields cannot be read.") from None


def form_token(secret_key: str, *bound_to: bytes) -> str:
    """A token that only this service can make, good for just what it is bound to."""
    said = b"form\0" + b"".join(len(part).to_bytes(4) + part for part in bound_to)
    return hmac.digest(secret_key.encode(), said, "sha256").hex()


def is_form_token(given: str | None, secret_key: str, *bound_to: bytes) -> bool:
    expected = form_token(secret_key, *bound_to)
    return hmac.compare_digest((given or "").encode(), expected.encode())


def origin_of_url(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
