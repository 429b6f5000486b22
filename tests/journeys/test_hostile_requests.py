"""Sizes, paths and headers as an enemy chooses them: refused in the one form, and never a 500."""

import threading
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.installers.plain import PlainInstaller
from tests.journeys.raw_http import chunked, plain, send_raw
from tests.journeys.refusals import problem_of
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
MIB = 1024 * 1024
JSON = "application/json"


@pytest.fixture(scope="module")
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up()


@pytest.mark.parametrize("path", ["client-drafts", "client", "client-secret"])
@pytest.mark.parametrize("way", ["chunked", "with a length"])
def test_64_mib_are_refused_and_not_read(
    client: PlainInstaller, stored: Stored, path: str, way: str
) -> None:
    before, size = stored.everything(), 64 * MIB
    method = {"client": "PUT"}.get(path, "POST")
    length = {"Content-Length": str(size)} if way == "with a length" else {}
    headers = {
        "api-key": client.api_key,
        "Content-Type": JSON,
        **client.authorization(method, path),
        **(length or {"Transfer-Encoding": "chunked"}),
    }
    began = time.monotonic()
    answer = send_raw(client.url(path), method, headers, plain(size) if length else chunked(size))
    assert time.monotonic() - began < 5
    assert answer is not None
    problem_of(answer.as_response(client.url(path)), 413, "body-too-large")
    assert answer.sent < 16 * MIB
    assert stored.everything() == before


def test_many_large_bodies_at_once_take_little_memory(client: PlainInstaller) -> None:
    before = service_memory(client.service)
    headers = {"api-key": client.api_key, "Content-Type": JSON, "Transfer-Encoding": "chunked"}
    url = client.url("client-drafts")
    threads = [
        threading.Thread(target=send_raw, args=(url, "POST", headers, chunked(64 * MIB)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert service_memory(client.service) - before < 100 * MIB


def service_memory(service: Ready) -> int:
    processes = psutil.Process(service.pid).children(recursive=True)
    return sum(process.memory_info().rss for process in processes)


HOSTILE_PATHS = [
    "/v1/client%00",
    "/v1/client%2f..",
    "/v1//client",
    "/v1/client/",
    "/v1/client-secret/%00",
    "/v1/client-secret/%ff%fe",
    "/v1/client-secret/" + "x" * 4000,
    "/v1/..%2f..%2fetc/passwd",
    "/v1/" + "a/" * 2000,
    "/v1/%",
    "/v1/%zz",
    "/v9/client",
    "/v1/CLIENT",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: path[:30])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "QUERY"])
def test_paths_that_lead_nowhere_are_problems_too(
    client: PlainInstaller, method: str, path: str
) -> None:
    url = client.service.base_url + path
    answer = send_raw(url, method, {"Content-Length": "0"})
    assert answer is not None
    # The framework lets a slash more pass, and any name of a key; who asks is unknown then.
    assert answer.status in (401, 404, 405)
    problem_of(answer.as_response(url), answer.status)


@pytest.mark.parametrize(
    "query",
    ["graceSeconds=x", "graceSeconds=-1", "graceSeconds=1e9", "graceSeconds=" + "9" * 400],
)
def test_parameters_that_cannot_be_are_named(client: PlainInstaller, query: str) -> None:
    path = f"client-secret/{client.key.thumbprint}?{query}"
    problem = problem_of(client.call("DELETE", path), 400)
    assert "graceSeconds" in problem["detail"]


@pytest.mark.parametrize("value", ["%ff", "\xe6", "x" * 8000, "%00", "\x7f"], ids=ascii)
def test_headers_of_any_content_do_no_harm(client: PlainInstaller, value: str) -> None:
    names = ("accept-language", "if-none-match", "if-match", "prefer", "traceparent", "cookie")
    sent = {name.encode(): value.encode("latin-1") for name in (*names, "idempotency-key")}
    authorization = client.authorization("GET", "client")
    sent |= {name.encode(): text.encode() for name, text in authorization.items()}
    answer = client.http.get(client.url("client"), headers=sent)
    assert answer.status_code in (200, 400, 412, 431), answer.text


def test_nothing_of_all_this_was_unexpected(client: PlainInstaller, sandbox_log: Path) -> None:
    """The service's own word for a bug."""
    problem_of(client.http.get(client.url("nothing")), 404)
    assert "unexpected exception" not in sandbox_log.read_text(encoding="utf-8")
