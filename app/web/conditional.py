"""Which version of a resource a caller has: `ETag`, `If-None-Match` and `If-Match` (RFC 9110, 13).

A version is the counter of what a reader of a client could see, and what else the answer is made
of, such as its language. When somebody looked last, and at what pace, raises no counter: two
answers of one version may differ in that, so the tags are weak. `If-Match` is compared weakly
too, where the RFC wants strong tags: what it guards is not an answer's bytes but a change that
the caller has not seen, and of that the counter tells all.
"""

from http import HTTPStatus
from typing import Any

from litestar import Request, Response

from app.problems import Problem


class PreconditionFailed(Problem):
    slug = "precondition-failed"
    title = "The resource has changed since it was read"
    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self) -> None:
        super().__init__("Read it again, look at what has changed, and send the change again.")


def etag(counter: int, *variant: object) -> str:
    """The tag of one answer: `variant` is what else it is made of."""
    return f'W/"{"-".join(map(str, (counter, *variant)))}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has this version already (`If-None-Match`)."""
    if if_none_match is None:
        return False
    given = set(_entries(if_none_match))
    return "*" in given or _opaque(tag) in {_opaque(entry) for entry in given}


def check_if_match(if_match: str | None, counter: int) -> None:
    """Refuse a change of a version that the caller has not seen, in whatever language."""
    if if_match is None or if_match.strip() == "*":
        return
    seen = {_opaque(entry).strip('"').partition("-")[0] for entry in _entries(if_match)}
    if str(counter) not in seen:
        raise PreconditionFailed


def _entries(header: str) -> list[str]:
    """The tags in a header. No tag of ours holds a comma."""
    return [entry.strip() for entry in header.split(",")]


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def sent_if_match(request: Request[Any, Any, Any]) -> str | None:
    return _joined(request, "if-match")


def sent_if_none_match(request: Request[Any, Any, Any]) -> str | None:
    return _joined(request, "if-none-match")


def _joined(request: Request[Any, Any, Any], name: str) -> str | None:
    lines = request.headers.getall(name, [])
    return ",".join(lines) if lines else None


def versioned(
    request: Request[Any, Any, Any], body: Any, tag: str, *, vary: str | None = None
) -> Response[Any]:
    """`body` with its tag, or an empty 304 for a caller that has it. `vary` names the headers of
    requests that the answer depends on."""
    headers = {"ETag": tag} | ({"Vary": vary} if vary else {})
    if is_known(sent_if_none_match(request), tag):
        return Response(None, status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers)
