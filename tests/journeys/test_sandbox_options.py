"""The whole journey in sandboxes that were started in other ways than usual."""

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from msgspec.structs import replace

from tests.installers.keys import rsa_key
from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready, sandbox

pytestmark = pytest.mark.journey


@contextmanager
def trusting(ready: Ready) -> Iterator[tuple[httpx2.Client, ssl.SSLContext]]:
    """A client that trusts the sandbox's authority and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ready.ca_file)
    with httpx2.Client(trust_env=False, timeout=30, verify=context) as http:
        yield http, context


def go_on(installer: PlainInstaller) -> None:
    """From a confirmed draft to the end: a token, what it opens, a new key, the old one's end."""
    installer.log_in()
    assert {status for status, _ in installer.scopes().values()} == {"ok"}
    old, new = installer.key, rsa_key(2048, "PS256", use="sig")
    assert installer.post_key(new.members).status_code == 200
    installer.key = new
    installer.log_in()
    path = f"client-secret/{old.thumbprint}?graceSeconds=0"
    assert installer.call("DELETE", path).status_code == 204
    assert [key["kid"] for key in installer.live_keys()] == [new.thumbprint]


@pytest.fixture(scope="module")
def over_https() -> Iterator[Ready]:
    with sandbox("--tls", "--workers", "2") as running:
        yield running.ready


def test_each_address_is_of_https_by_an_authority_of_its_own(over_https: Ready) -> None:
    with trusting(over_https) as (http, _):
        for url in (f"{over_https.base_url}/health/ready", f"{over_https.control_url}/health"):
            assert url.startswith("https://")
            assert http.get(url).status_code == 200


def test_the_journey_over_https_with_two_workers(
    over_https: Ready, listener: LoopbackListener
) -> None:
    with trusting(over_https) as (http, context), Person(context) as kari:
        installer = PlainInstaller(over_https, http)
        answer = installer.draft(postClientConfirmationRedirectUri=listener.address)
        page = kari.log_in(kari.open(answer.json()["confirmUrl"]))
        assert page.address.startswith(f"{over_https.base_url}/confirm-client/")
        kari.press(page, "Bekreft")
        assert listener.status() == "Success"
        go_on(installer)


def test_the_journey_at_localhost_over_https(over_https: Ready) -> None:
    """By another name than the one in the ready line, as clients are configured."""
    with trusting(over_https) as (http, _):
        installer = PlainInstaller(over_https, http).set_up()
        localhost = over_https.base_url.replace("127.0.0.1", "localhost")
        installer.service = replace(over_https, base_url=localhost)
        assert installer.client()["apiScopes"]


def test_the_journey_where_the_service_is_called_otherwise() -> None:
    with (
        sandbox("--public-url", "https://onboarding.example") as running,
        httpx2.Client(trust_env=False, timeout=30) as http,
    ):
        assert running.ready.base_url == "https://onboarding.example"
        [port] = {
            connection.laddr.port
            for child in running.children_serving("app.sandbox_service.service:create_service")
            for connection in child.net_connections("tcp")
            if connection.status == "LISTEN"
        }
        # As through a proxy: links say the public name, the socket is here.
        local = replace(running.ready, base_url=f"http://127.0.0.1:{port}")
        installer = PlainInstaller(local, http)
        answer = installer.draft()
        base, client_id = "https://onboarding.example", installer.client_id
        assert answer.json()["confirmUrl"] == f"{base}/confirm-client/{client_id}"
        assert answer.headers["Location"] == f"{base}/v1/onboardings/{client_id}"
        assert installer.decide().json()["status"] == "Success"
        go_on(installer)


def test_the_journey_without_a_person() -> None:
    with (
        sandbox("--auto-confirm") as running,
        httpx2.Client(trust_env=False, timeout=30) as http,
    ):
        installer = PlainInstaller(running.ready, http)
        assert installer.draft().status_code == 201
        until = time.monotonic() + 15
        while installer.ask_for_token().status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        go_on(installer)
        demo = [sys.executable, "-P", "-m", "app", "demo"]
        where = ["--base-url", running.ready.base_url, "--control-url", running.ready.control_url]
        told = subprocess.run([*demo, *where], capture_output=True, check=False, timeout=60)
        assert told.returncode == 0, told.stderr.decode()
