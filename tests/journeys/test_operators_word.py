"""What the operator says by a command holds at once in every process."""

import subprocess
import sys

import httpx2
import psutil
import pytest

from tests.installers.plain import PlainInstaller
from tests.journeys.refusals import problem_of
from tests.sandboxes import Ready, clean_environment, command_of, eventually

pytestmark = pytest.mark.journey


def command(service: Ready, *arguments: str) -> str:
    """`onboarding …`, with the settings that the service itself has."""
    [worker] = [
        child
        for child in psutil.Process(service.pid).children()
        if "sandbox_service.worker" in command_of(child)
    ]
    settings = {
        name: value for name, value in worker.environ().items() if name.startswith("ONBOARDING_")
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", *arguments],
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_blocked_client_is_refused_at_once_and_comes_back(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    command(sandbox, "client", "block", client.client_id)
    for method, path in (("GET", "client"), ("GET", "client-secret"), ("GET", "client-status")):
        problem_of(client.call(method, path), 403, "client-blocked")
    problem_of(client.put_client({"apiScopes": ["x/y"]}), 403, "client-blocked")
    problem_of(client.post_key(client.key.members), 403, "client-blocked")
    assert eventually(lambda: client.ask_for_token().status_code == 400)

    command(sandbox, "client", "unblock", client.client_id)
    assert eventually(lambda: client.ask_for_token().is_success)
    client.log_in()
    assert client.client()["apiScopes"]


def test_a_closed_client_is_gone(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    command(sandbox, "client", "close", client.client_id, "--yes")
    answer = client.call("GET", "client")
    assert answer.status_code in (401, 403)
    problem_of(answer, answer.status_code)
    assert eventually(lambda: client.ask_for_token().status_code == 400)
    # Its key stays taken.
    answer = PlainInstaller(sandbox, http, client.key).draft()
    problem_of(answer, 409, "key-taken")


def test_an_api_key_works_from_its_making_to_its_revocation(
    sandbox: Ready, http: httpx2.Client
) -> None:
    made = command(sandbox, "api-key", "create", "fjord-epj", "--label", "of a test")
    [key] = [word for word in made.split() if word.startswith("ok_")]
    prefix = "_".join(key.split("_")[:2])
    assert PlainInstaller(sandbox, http, api_key=key).draft().status_code == 201
    assert key not in command(sandbox, "api-key", "list")
    assert prefix in command(sandbox, "api-key", "list")
    command(sandbox, "api-key", "revoke", prefix)
    problem_of(PlainInstaller(sandbox, http, api_key=key).draft(), 401, "api-key-rejected")


def test_the_audit_trail_of_the_journeys_is_whole(sandbox: Ready) -> None:
    assert command(sandbox, "audit", "verify")
