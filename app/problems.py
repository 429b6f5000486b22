"""Refusals that a caller can understand and act on.

Rules and use cases raise a `Problem`; `app.web.problem_details` answers with
`application/problem+json` (RFC 9457). Whatever else is raised is a bug: it is logged and
answered with a bare 500, so that nothing internal reaches the caller.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from msgspec import Struct


class FieldError(Struct, frozen=True):
    """One thing that is wrong in a request body, and what to do about it."""

    pointer: str
    """A JSON pointer as a URI fragment, such as `#/redirectUris/0`. `#` is the whole body."""
    code: str
    """Stable and snake_case."""
    detail: str


class Problem(Exception):
    """Base of every refusal. A slug is part of the published API: never change or reuse one."""

    slug: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[HTTPStatus]
    whole_body_is: ClassVar[str] = ""
    """The member that an old client should read of, where the whole body is that member."""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class InvalidRequest(Problem):
    """Every error of the request at once. `property` on the wire is that of the first."""

    slug = "invalid-request"
    title = "The request is not acceptable"
    status = HTTPStatus.BAD_REQUEST

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].detail, errors=errors)


class BodyTooLarge(Problem):
    slug = "body-too-large"
    title = "The body is larger than this service reads"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotJson(Problem):
    slug = "not-json"
    title = "The body is not sent as JSON"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooManyRequests(Problem):
    slug = "too-many-requests"
    title = "Too many requests"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


RETRY_AFTER_OUTAGE = 5  # seconds


class ServiceUnavailable(Problem):
    slug = "service-unavailable"
    title = "The service cannot answer just now"
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_AFTER_OUTAGE)})
