from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from app.sandbox.app import app_for
from tests.sandbox.conftest import connected
from tests.sandbox.installer import CREDENTIAL, NEIGHBOURS, REGISTER, Installer, assert_refused

SECRET = "known to the neighbours alone"
ANSWERS = {
    "/reset": (200, b'{"reset": true}'),
    "/clients/a-client/decision": (200, b'{"redirect": "http://x"}'),
    "/approvals": (404, b'{"detail": "no such client"}'),
    "/faults": (204, b""),
}
FAULT = {"target": "service", "status": 503, "times": 2}


class Service(BaseHTTPRequestHandler):
    """The service's controls, as far as the neighbours see them."""

    asked: list[tuple[str, str | None, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.path, self.headers["Sandbox-Secret"], body))
        status, answer = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST  # noqa: N815  # the base class's names

    def do_GET(self) -> None:
        answer = msgspec.json.encode([FAULT] if self.asked else [])
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's
        pass


@pytest.fixture
def service() -> Iterator[tuple[str, list[tuple[str, str | None, bytes]]]]:
    asked: list[tuple[str, str | None, bytes]] = []
    handler = type("Asked", (Service,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.fixture
async def controls(
    service: tuple[str, list[tuple[str, str | None, bytes]]],
) -> AsyncIterator[httpx2.AsyncClient]:
    app = app_for(replace(NEIGHBOURS, controls_url=service[0], controls_secret=SECRET))
    async with connected(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clients/a-client/decision", b'{"decision":"approve"}'),
        ("/approvals", b'{"clientId":"5f0c9d3a-0f5e-4d7b-9a55-0f6f5e3f2b11","decision":"refuse"}'),
    ],
)
async def test_the_services_own_controls_are_passed_on(
    controls: httpx2.AsyncClient,
    service: tuple[str, list[tuple[str, str | None, bytes]]],
    path: str,
    body: bytes,
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await controls.post(f"/_sandbox{path}", content=body, headers=headers)
    assert (answer.status_code, answer.content) == ANSWERS[path]
    assert answer.headers["content-type"] == "application/json"
    assert service[1] == [(path, SECRET, body)]


async def test_the_bare_address_leads_to_the_page(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/", follow_redirects=True)
    assert answer.url.path == "/_sandbox/"
    assert answer.headers["content-type"].startswith("text/html")


async def test_reset_forgets_clients_and_faults_and_tells_the_service(
    controls: httpx2.AsyncClient, service: tuple[str, list[tuple[str, str | None, bytes]]]
) -> None:
    installer = await Installer(controls).register()
    await controls.put("/_sandbox/faults", json=[{"target": "brreg", "status": 500}])
    published = await controls.get("/sts/.well-known/openid-configuration/jwks")
    answer = await controls.post("/_sandbox/reset")
    assert answer.json() == {"reset": True}
    assert service[1] == [("/faults", SECRET, b"[]"), ("/reset", SECRET, b"")]
    assert_refused(await installer.send(), "invalid_client", "unknown")
    targets = [fault["target"] for fault in (await controls.get("/_sandbox/faults")).json()]
    assert targets == ["service"]  # as this service says
    again = await controls.get("/sts/.well-known/openid-configuration/jwks")
    assert again.json() == published.json()


async def test_the_services_faults_are_the_services_business(
    controls: httpx2.AsyncClient, service: tuple[str, list[tuple[str, str | None, bytes]]]
) -> None:
    register = {"target": "brreg", "status": 500, "times": 1}
    answer = await controls.put("/_sandbox/faults", json=[FAULT, register])
    assert [(fault["target"], fault["times"]) for fault in answer.json()] == [
        ("brreg", 1),
        ("service", 2),
    ]
    [(path, secret, body)] = service[1]
    assert (path, secret) == ("/faults", SECRET)
    assert [fault["target"] for fault in msgspec.json.decode(body)] == ["service"]
    # It is met there, not here.
    assert (await controls.get("/_sandbox/clients")).status_code == 200


async def test_a_service_that_is_away_is_said_so(own_http: httpx2.AsyncClient) -> None:
    body = {"clientId": str(uuid4()), "decision": "approve"}
    assert (await own_http.post("/_sandbox/approvals", json=body)).status_code == 502
    assert (await own_http.get("/_sandbox/clock")).status_code == 502


async def test_the_issuer_loses_its_registrations_but_not_the_login_client(
    own_http: httpx2.AsyncClient,
) -> None:
    installer = await Installer(own_http).register()
    assert (await own_http.post("/_sandbox/forget-registrations")).status_code == 204
    assert_refused(await installer.send(), "invalid_client", "unknown")
    listed = [client["clientId"] for client in (await own_http.get("/_sandbox/clients")).json()]
    assert listed == ["the-service"]
    answer = await own_http.post(REGISTER, json=installer.metadata, headers=CREDENTIAL)
    assert answer.status_code == 201


async def test_clients_are_listed(installer: Installer) -> None:
    clients = (await installer.http.get("/_sandbox/clients")).json()
    (own,) = [client for client in clients if client["clientId"] == installer.client_id]
    assert own["keys"] == [installer.key.thumbprint()]
    assert own["metadata"]["organization_number"] == "310000019"


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "[::1]:8081"])
async def test_a_loopback_host_is_answered(http: httpx2.AsyncClient, host: str) -> None:
    answer = await http.get("/_sandbox/health", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "[", "localhost@evil.example"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_another_host_is_not(http: httpx2.AsyncClient, host: str, method: str) -> None:
    answer = await http.request(method, "/_sandbox/faults", headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_what_a_web_page_elsewhere_can_send_is_refused(
    http: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/_sandbox/forget-registrations", headers=headers)
    assert answer.status_code == 415
    answer = await http.put("/_sandbox/faults", content=b"[]", headers=headers)
    assert answer.status_code == 415


async def test_the_overview_names_the_numbers_and_the_persons(http: httpx2.AsyncClient) -> None:
    page = await http.get("/_sandbox/")
    assert page.headers["content-type"].startswith("text/html")
    for text in ("310000019", "310900079", "Kari Nordmann", "Synne Leder"):
        assert text in page.text
    assert "The service does not answer." in page.text


@pytest.mark.parametrize(
    ("file", "kind", "named_in"),
    [
        ("console.js", "text/javascript", ""),
        ("console.css", "text/css", ""),
        ("pressing.js", "text/javascript", "console.js"),
    ],
)
async def test_what_the_page_needs_is_beside_it(
    http: httpx2.AsyncClient, file: str, kind: str, named_in: str
) -> None:
    assert f'"/_sandbox/{file}"' in (await http.get(f"/_sandbox/{named_in}")).text
    answer = await http.get(f"/_sandbox/{file}")
    assert answer.headers["content-type"].startswith(kind)
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_the_controls_have_a_document(http: httpx2.AsyncClient) -> None:
    document = (await http.get("/_sandbox/openapi.json")).json()
    assert {"/_sandbox/reset", "/_sandbox/faults", "/_sandbox/approvals"} <= document[
        "paths"
    ].keys()
    assert not [path for path in document["paths"] if not path.startswith("/_sandbox/")]
    assert document["paths"]["/_sandbox/faults"]["put"]["operationId"] == "set_faults"
