"""Altinn's two forms of error: its own problem details, and the framework's."""

import secrets
from typing import Any

from litestar import Response
from msgspec import Struct

from app.sandbox.altinn.callers import AltinnRequest
from app.sandbox.altinn.numbers import OutOfOrder

PROBLEM_TYPE = "application/problem+json"
PHRASES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}


class FieldProblem(Struct, frozen=True):
    code: str
    title: str
    path: str
    extra: dict[str, str] = {}


class AltinnProblem(Exception):
    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title
        self.fields: list[FieldProblem] = []


class FrameworkProblem(Exception):
    """As the look-up of Maskinporten's delegations refuses."""

    def __init__(self, status: int, title: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.errors = status, title, errors


def invalid(*fields: FieldProblem) -> AltinnProblem:
    problem = AltinnProblem(400, "STD-00000", "One or more validation errors occurred.")
    problem.fields = list(fields)
    return problem


def invalid_number(parameter: str, message: str) -> FrameworkProblem:
    title = "One or more validation errors occurred."
    return FrameworkProblem(400, title, {parameter: [message]})


def altinn_problem(_: AltinnRequest, problem: AltinnProblem) -> Response[dict[str, Any]]:
    return Response(problem_body(problem), status_code=problem.status, media_type=PROBLEM_TYPE)


def problem_body(problem: AltinnProblem) -> dict[str, Any]:
    body = {
        "type": f"urn:altinn:error:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "statusDescription": PHRASES[problem.status],
        "traceId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    }
    if problem.fields:
        body["validationErrors"] = [
            {"code": field.code, "title": field.title, "paths": [field.path], **field.extra}
            for field in problem.fields
        ]
    return body


def framework_problem(_: AltinnRequest, problem: FrameworkProblem) -> Response[dict[str, Any]]:
    body: dict[str, Any] = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return Response(body, status_code=problem.status, media_type=PROBLEM_TYPE)


def out_of_order(_: AltinnRequest, __: OutOfOrder) -> Response[str]:
    """As the gateway says it, and not Altinn."""
    return Response("Service Unavailable", status_code=503, media_type="text/plain")
