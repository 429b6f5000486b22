"""The controls' refusals, and their document, which a reader who knows nothing of us accepts."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
LINT = ROOT / "openapi" / "lint"
CLOCK = "/_sandbox/clock/advance"


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (CLOCK, b'{"seconds": "x"}', 400, "#/seconds: Expected `float`, got `str`"),
        (CLOCK, b"{}", 400, "#: Object missing required field `seconds`"),
        (CLOCK, b"{", 400, "truncated"),
        ("/_sandbox/approvals", b'{"clientId": "x", "decision": "approve"}', 400, "#/clientId: "),
        ("/_sandbox/tokens", b'{"clientId": "x"}', 404, "does not know this client"),
        ("/_sandbox/tokens", b'{"clientId": "x", "broken": "y"}', 400, "`broken` is one of"),
        ("/_sandbox/altinn/requests/x/y", b"{}", 404, "The steps are confirm, approve, reject."),
        ("/_sandbox/altinn/resources/x/rules", b"{}", 404, "The rights are nhn-"),
        ("/_sandbox/organizations/1", b'{"status": "live"}', 404, "no such organization"),
        (f"{CLOCK}?", b'{"seconds": 1}', 502, "The service does not answer."),
    ],
)
async def test_a_refusal_is_a_problem_that_says_what_to_do(
    http: httpx2.AsyncClient, path: str, body: bytes, status: int, says: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await http.post(path, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert says in problem["detail"]
    assert problem["title"]


async def test_a_parameter_that_means_nothing_is_named(http: httpx2.AsyncClient) -> None:
    problem = (await http.get("/_sandbox/requests?since=yesterday")).json()
    assert problem["errors"] == [{"pointer": "since", "detail": "Invalid RFC3339 encoded datetime"}]


async def test_a_page_elsewhere_is_told_in_the_same_form(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/_sandbox/faults", headers={"Host": "evil.example"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "The controls answer to a loopback Host only."


async def document_of(http: httpx2.AsyncClient) -> Any:
    return (await http.get("/_sandbox/openapi.json")).json()


async def test_the_document_is_the_same_each_time(http: httpx2.AsyncClient) -> None:
    document = await document_of(http)
    assert document == await document_of(http)
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert {"4XX", "5XX"} <= operation["responses"].keys()


@pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ,
    reason="There is no npm here. CI has it, and lints.",
)
async def test_redocly_finds_nothing_in_the_document(
    http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "controls.json"
    file.write_text(json.dumps(await document_of(http)), encoding="utf-8")
    linted = await asyncio.to_thread(lint, file)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    subprocess.run(["make", "lint-tools"], cwd=ROOT, check=True, capture_output=True)
    return subprocess.run(
        ["node_modules/.bin/redocly", "lint", "--config", "redocly.yaml", str(file)],
        cwd=LINT,
        env=os.environ | {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
