"""An installed program: it asks for a client and waits on this machine for the browser."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
from joserfc.jwk import ECKey
from msgspec import Struct

from tests.sandboxes import Ready

ORGANIZATION = "310000019"
EPJ = "sandbox-epj"


class WaitingProgram(Struct):
    port: int
    came: list[str]
    """The paths, with queries, that the browser was sent to."""

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}/done"


class Draft(Struct, frozen=True):
    client_id: str
    confirm_url: str
    share_url: str
    pairing_code: str


@contextmanager
def waiting_program() -> Iterator[WaitingProgram]:
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/favicon.ico":  # the browser's own idea
                came.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<title>Programmet</title><p>Ferdig")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield WaitingProgram(server.server_port, came)
    finally:
        server.shutdown()
        server.server_close()


def ask_for_client(
    sandbox: Ready,
    return_address: str | None = None,
    *,
    key: ECKey | None = None,
    **more: Any,
) -> Draft:
    """Keys are new each time, so that the tests are strangers to each other."""
    key = key or ECKey.generate_key("P-256")
    body = {
        "organizationNumber": ORGANIZATION,
        "publicJwk": key.as_dict(private=False),
        "redirectUris": ["http://localhost:8765/callback"],
        **({"postClientConfirmationRedirectUri": return_address} if return_address else {}),
        **more,
    }
    answer = httpx2.post(
        f"{sandbox.base_url}/v1/client-drafts",
        json=body,
        headers={"api-key": EPJ},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return Draft(told["clientId"], told["confirmUrl"], told["shareUrl"], told["pairingCode"])
