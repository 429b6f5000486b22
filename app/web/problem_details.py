"""Refusals on the wire: `application/problem+json` (RFC 9457), in the one form of `API.md`.

`property` and `message` repeat the first error, because a client in production reads just these.
"""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from asyncpg import DataError, InterfaceError, PostgresConnectionError
from asyncpg.exceptions import (
    InsufficientResourcesError,
    LockNotAvailableError,
    OperatorInterventionError,
)
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.connections import NoConnection
from app.problems import BodyTooLarge, FieldError, Problem, ServiceUnavailable
from app.web.json_text import pointer_to

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger(__name__)


class ProblemDetails(Struct, rename="camel", frozen=True, omit_defaults=True):
    """Why a request was refused, and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    property: str
    """The member that the first error is about; empty when it is not about one."""
    message: str
    errors: list[FieldError] = []


class NotFound(Problem):
    slug = "not-found"
    title = "There is nothing at this address"
    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(Problem):
    slug = "method-not-allowed"
    title = "The method is not allowed here"
    status = HTTPStatus.METHOD_NOT_ALLOWED


class InternalError(Problem):
    slug = "internal-error"
    title = "Something is wrong in this service"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotAcceptable(Problem):
    """What the framework itself refuses, such as a parameter that is out of bounds."""

    slug = "bad-request"
    title = "The request cannot be understood"
    status = HTTPStatus.BAD_REQUEST


# Other problems of the framework's own, by their status.
_BY_STATUS: dict[int, tuple[type[Problem], str]] = {
    404: (NotFound, "Check the address. The paths are in /openapi.json."),
    405: (MethodNotAllowed, "See the Allow header for the methods of this address."),
    413: (BodyTooLarge, "Send a smaller body."),
}


def problem_details(problem: Problem, *, base_url: str, path: str, trace_id: str) -> ProblemDetails:
    first = problem.errors[0] if problem.errors else None
    is_400 = problem.status == HTTPStatus.BAD_REQUEST
    return ProblemDetails(
        type=f"{base_url}/problems/{problem.slug}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=path,
        trace_id=trace_id,
        property=_property(problem, first.pointer) if first and is_400 else "",
        message=first.detail if first and is_400 else problem.detail,
        errors=list(problem.errors),
    )


def _property(problem: Problem, pointer: str) -> str:
    """The top-level member that `pointer` leads into."""
    if problem.whole_body_is:
        return problem.whole_body_is
    return pointer.removeprefix("#/").split("/")[0] if pointer.startswith("#/") else ""


def answer_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """`problem` as the answer to `request`."""
    details = problem_details(
        problem,
        base_url=request.app.state.settings.base_url,
        path=request.scope["path"],
        trace_id=request.scope["state"]["trace_id"],
    )
    return Response(
        msgspec.json.encode(details),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def answer_http_exception(
    request: Request[Any, Any, Any], exception: HTTPException
) -> Response[bytes]:
    """What the framework refuses: no such path, no such method, a body over the limit."""
    kind, detail = _BY_STATUS.get(
        exception.status_code, (NotAcceptable, "See the API document for what can be sent.")
    )
    if exception.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_exception(request, exception)
    errors = _parameter_errors(exception)
    detail = errors[0].detail if errors else detail
    headers = dict(exception.headers or {})
    if kind is BodyTooLarge:
        # What is left of the body stays unread, so nothing more can come over this connection.
        headers["Connection"] = "close"
    return answer_problem(request, kind(detail, errors=errors, headers=headers))


def _parameter_errors(exception: HTTPException) -> list[FieldError]:
    """Parameters stand where members of a body would: no request that has some has both."""
    if not isinstance(exception, ValidationException) or not isinstance(exception.extra, list):
        return []
    named = [
        (_wire_name(str(found.get("key", ""))), found.get("message"))
        for found in exception.extra
        if isinstance(found, dict)
    ]
    return [
        FieldError(pointer_to("#", name), "not_acceptable", f"`{name}`: {message}.")
        for name, message in named
    ]


def _wire_name(parameter: str) -> str:
    """The framework tells the handler's own name of a parameter."""
    first, *others = parameter.split("_")
    return first + "".join(other.capitalize() for other in others)


def answer_exception(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
    """A bug, or a database that is away. The caller learns the trace id and nothing else."""
    trace_id = request.scope["state"]["trace_id"]
    if is_logged_outage(exception, trace_id):
        detail = "Nothing was changed, or it was changed in full. Ask again in a moment."
        return answer_problem(request, ServiceUnavailable(detail))
    return answer_problem(
        request, InternalError(f"Tell the operator of this service the trace id {trace_id}.")
    )


def is_logged_outage(exception: Exception, trace_id: str) -> bool:
    """Whether the database is away, which the log now tells; a bug with all there is to know."""
    if is_outage(exception):
        extra = {"trace_id": trace_id, "error": type(exception).__name__}
        log.error("database is away", extra=extra)
        return True
    log.error("unexpected exception", exc_info=exception, extra={"trace_id": trace_id})
    return False


def is_outage(exception: Exception) -> bool:
    """Whether the database is away, which passes; anything else is a bug."""
    if isinstance(exception, DBAPIError):
        dialects = exception.orig
        # SQLAlchemy's dialect raises an error of its own from the driver's.
        drivers = dialects.__cause__ if dialects else None
        return exception.connection_invalidated or any(
            map(_is_outage_of_driver, (dialects, drivers))
        )
    return isinstance(exception, PoolTimeout) or _is_outage_of_driver(exception)


# What the server says when it starts, stops, is full, or has been waited for too long.
_OUTAGES = (
    NoConnection,
    PostgresConnectionError,
    InterfaceError,
    InsufficientResourcesError,
    OperatorInterventionError,
    LockNotAvailableError,
)


def _is_outage_of_driver(exception: BaseException | None) -> bool:
    # The driver calls a value that it cannot send an error of its interface; it is one of ours.
    return isinstance(exception, _OUTAGES) and not isinstance(exception, DataError)
