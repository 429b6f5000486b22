"""What every refusal must be, whatever was wrong: the one form that every known client can read."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx2

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "instance", "traceId", "property", "message"}
ALGORITHMS = {f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)}


def problem_of(answer: httpx2.Response, status: int, slug: str | None = None) -> dict[str, Any]:
    """The body of a refusal, after its form has been checked."""
    assert answer.status_code == status, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert MEMBERS <= problem.keys() <= MEMBERS | {"errors"}
    asked = urlsplit(str(answer.request.url))
    base, found, name = problem["type"].partition("/problems/")
    assert (urlsplit(base).scheme, found) == (asked.scheme, "/problems/")
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert slug in (None, name)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert re.fullmatch(r"[0-9a-f]{32}", problem["traceId"])
    assert problem["traceId"] in answer.headers["traceparent"]
    _check_errors(problem)
    return problem


def _check_errors(problem: dict[str, Any]) -> None:
    errors = problem.get("errors", [])
    if not errors or problem["status"] != 400:
        assert (problem["property"], problem["message"]) == ("", problem["detail"])
    else:
        assert problem["message"] == errors[0]["detail"] == problem["detail"]
        assert isinstance(problem["property"], str)
    for error in errors:
        assert error.keys() == {"pointer", "code", "detail"}
        assert error["pointer"].startswith("#")
        assert re.fullmatch(r"[a-z0-9_]+", error["code"])
        assert len(error["detail"]) > 10


def found_errors(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


def challenges(answer: httpx2.Response) -> dict[str, dict[str, str]]:
    """`WWW-Authenticate`, as the parameters of each scheme."""
    text = answer.headers["www-authenticate"]
    assert len(answer.headers.get_list("www-authenticate")) == 1
    found: dict[str, dict[str, str]] = {}
    for scheme, parameters in re.findall(r'(\w+)((?:,? \w+="[^"]*")*)(?:, |$)', text):
        found[scheme] = dict(re.findall(r'(\w+)="([^"]*)"', parameters))
    return found


def check_proof_refused(answer: httpx2.Response) -> dict[str, Any]:
    problem = problem_of(answer, 401, "dpop-proof-rejected")
    [(scheme, parameters)] = challenges(answer).items()
    assert scheme == "DPoP"
    assert set(parameters.pop("algs").split()) == ALGORITHMS
    assert parameters == {"error": "invalid_dpop_proof"}
    assert "dpop-nonce" not in answer.headers
    return problem


def check_token_refused(answer: httpx2.Response, *, sent: bool = True) -> dict[str, Any]:
    """`sent`: who sent no token is told of no error."""
    problem = problem_of(answer, 401, "access-token-rejected")
    given = challenges(answer)
    assert list(given) == ["DPoP", "Bearer"]
    assert set(given["DPoP"].pop("algs").split()) == ALGORITHMS
    expected = {"error": "invalid_token"} if sent else {}
    assert given == {"DPoP": expected, "Bearer": expected}
    assert "dpop-nonce" not in answer.headers
    return problem
