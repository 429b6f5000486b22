"""What a control refuses is a problem (RFC 9457) that says what to do, as the service's own are."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from msgspec import Meta, Struct

MEDIA_TYPE = "application/problem+json"
SEE_DOCUMENT = "See /_sandbox/openapi.json for what can be sent."


class FieldError(Struct, frozen=True):
    pointer: Annotated[str, Meta(examples=["#/seconds"])]
    detail: str


class Refusal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    title: Annotated[str, Meta(examples=["Bad Request"])]
    status: Annotated[int, Meta(examples=[400])]
    detail: Annotated[str, Meta(description="What is wrong, and what to do about it.")]
    errors: Annotated[
        list[FieldError], Meta(description="Of a body or a parameter that cannot be taken.")
    ] = []


def answer_refusal(request: Request[Any, Any, State], exception: HTTPException) -> Response[bytes]:
    errors = _errors(exception.extra)
    status = HTTPStatus(exception.status_code)
    if not errors:
        return refused(status, _detail(status, exception))
    told = " ".join(f"{one.pointer}: {one.detail}." for one in errors)
    return refused(status, f"{told} {SEE_DOCUMENT}", *errors)


def refused(status: HTTPStatus, detail: str, *errors: FieldError) -> Response[bytes]:
    body = Refusal(title=status.phrase, status=status, detail=detail, errors=list(errors))
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE)


def _detail(status: HTTPStatus, exception: HTTPException) -> str:
    is_said = exception.detail and exception.detail != status.phrase
    return exception.detail if is_said else SEE_DOCUMENT


def _errors(extra: object) -> list[FieldError]:
    """The framework's own of a body or of parameters. The whole body has no name of its own."""
    if not isinstance(extra, list):
        return []
    return [
        FieldError(_pointer(str(one.get("key", "data")), str(one.get("source"))), one["message"])
        for one in extra
        if isinstance(one, dict) and "message" in one
    ]


def _pointer(key: str, source: str) -> str:
    if source != "body":
        return key
    return "#" if key == "data" else f"#/{key.replace('.', '/')}"
