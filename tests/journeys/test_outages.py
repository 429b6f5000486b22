"""A neighbour that is down or slow: nobody notices more than a short wait."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.installers.keys import ec_key
from tests.installers.plain import PlainInstaller
from tests.journeys.test_delegations import path_of, record_of, usable_client
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"delayMs": 60_000},
    "down": {"status": 503, "retryAfter": 1},
    # It is done then, and must not be done a second time.
    "silent when it is done": {"loseAnswer": True, "times": 1},
}

# All of Altinn's, and of whoever gives us the tokens for it.
OF_ALTINN: list[dict[str, Any]] = [
    {"target": "altinn", "delayMs": 60_000},
    {"target": "altinn", "status": 429, "retryAfter": 2},
    {"target": "altinn", "special": "tooManyRequestsDate"},
    {"target": "altinn", "special": "problem"},
    {"target": "altinn", "status": 503},
    {"target": "altinn", "status": 404},
    {"target": "altinn", "malformed": True},
    {"target": "altinn", "drop": True},
    {"target": "altinn", "loseAnswer": True},
    {"target": "altinn", "special": "indeterminate"},
    {"target": "altinn", "special": "wrongCount"},
    {"target": "altinn", "special": "swallowedException"},
    {"target": "altinn", "special": "neverLoggedIn"},
    {"target": "altinn", "special": "contradiction"},
    {"target": "maskinporten", "status": 503},
    {"target": "maskinporten", "delayMs": 60_000},
]
STILL_GIVEN = {"active", "suspect"}


@pytest.fixture
def faults(sandbox: Ready, http: httpx2.Client) -> Iterator[str]:
    """The control's address; the issuer works again afterwards."""
    address = f"{sandbox.control_url}/faults"
    yield address
    assert http.delete(address).is_success


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_confirmation_waits_shortly_and_reaches_the_issuer_later(
    sandbox: Ready, http: httpx2.Client, faults: str, fault: str
) -> None:
    client = PlainInstaller(sandbox, http)
    assert client.draft().status_code == 201
    failing = {"target": "issuer", "path": "/connect/register*", **FAULTS[fault]}
    assert http.put(faults, json=[failing]).is_success
    began = time.monotonic()
    assert client.decide().json()["status"] == "Success"
    assert time.monotonic() - began < 8
    assert http.delete(faults).is_success
    assert eventually(lambda: client.ask_for_token().is_success, within=30)
    client.log_in()
    assert {status for status, _ in client.scopes().values()} == {"ok"}


def test_a_new_key_is_activating_while_the_issuer_is_down(
    sandbox: Ready, http: httpx2.Client, faults: str
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    old, new = client.key, ec_key()
    down = {"target": "issuer", "path": "/connect/register*", "status": 500}
    assert http.put(faults, json=[down]).is_success
    answer = client.post_key(new.members)
    assert (answer.status_code, answer.json()["state"]) == (200, "activating")

    assert http.delete(faults).is_success
    states = {old.thumbprint: "active", new.thumbprint: "active"}
    assert eventually(
        lambda: {key["kid"]: key["state"] for key in client.live_keys()} == states, within=30
    )
    client.key = new
    client.log_in()
    assert client.client()["apiScopes"]


def test_a_silent_register_does_not_stop_a_draft(
    sandbox: Ready, http: httpx2.Client, faults: str
) -> None:
    down = {"target": "brreg", "status": 503}
    assert http.put(faults, json=[down]).is_success
    began = time.monotonic()
    answer = PlainInstaller(sandbox, http, organization="310000396").draft()
    assert answer.status_code == 201, answer.text
    assert time.monotonic() - began < 5


@pytest.mark.alone
def test_no_fault_of_altinns_makes_an_answer_slower_than_a_second(
    sandbox: Ready, http: httpx2.Client, faults: str
) -> None:
    client = usable_client(sandbox, http, "310500054")
    slow = []
    for fault in OF_ALTINN:
        assert http.delete(faults).is_success
        client.pass_time(11)  # a check may be demanded again
        checks = f"{path_of(client)}/checks"
        assert http.put(faults, json=[fault]).is_success
        for method, path in [
            ("POST", checks),
            ("GET", "client/delegations"),
            ("GET", "client"),
            ("GET", f"onboardings/{client.client_id}"),
        ]:
            began = time.monotonic()
            answer = client.call(method, path)
            seconds = time.monotonic() - began
            assert answer.status_code == 200, (fault, answer.text)
            if seconds >= 1:
                slow.append((fault, path, seconds))
        assert record_of(client)["state"] in STILL_GIVEN, fault
    assert slow == []
