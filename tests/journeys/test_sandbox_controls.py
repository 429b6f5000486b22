"""What an installer's own tests can make happen: lost answers, ended keys, old images."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.installers.keys import ec_key
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
CLIENT_SECRET = "/v1/client-secret"


@pytest.fixture
def failing(sandbox: Ready, http: httpx2.Client) -> Iterator[list[dict[str, Any]]]:
    """Faults that are set when something is put into them, and gone at the end."""
    address = f"{sandbox.control_url}/faults"

    class Faults(list[dict[str, Any]]):
        def append(self, fault: dict[str, Any]) -> None:
            super().append({"target": "service"} | fault)
            answer = http.put(address, json=self)
            assert answer.status_code == 200, answer.text
            assert len(answer.json()) == len(self)

    yield Faults()
    assert http.delete(address).status_code == 204
    assert http.get(address).json() == []


def test_an_installer_whose_answer_was_lost_asks_again_and_has_one_key_more(
    sandbox: Ready, http: httpx2.Client, failing: list[dict[str, Any]]
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    new = ec_key()
    failing.append({"path": CLIENT_SECRET, "loseAnswer": True, "times": 1})
    with pytest.raises(httpx2.HTTPError):
        client.post_key(new.members)
    again = client.post_key(new.members)
    assert again.status_code == 200
    assert again.json()["jwkThumbprint"] == new.thumbprint
    assert client.post_key(new.members).json() == again.json()
    assert len(client.live_keys()) == 2


def test_an_installer_whose_drafts_answer_was_lost_asks_again(
    sandbox: Ready, http: httpx2.Client, failing: list[dict[str, Any]]
) -> None:
    client = PlainInstaller(sandbox, http)
    failing.append({"path": "/v1/client-drafts", "loseAnswer": True, "times": 1})
    with pytest.raises(httpx2.HTTPError):
        client.draft()
    client.set_up()


def test_all_processes_share_the_times_that_a_fault_has(
    sandbox: Ready, http: httpx2.Client, failing: list[dict[str, Any]]
) -> None:
    failing.append({"path": "/health/live", "status": 503, "retryAfter": 7, "times": 5})
    failing.append({"path": "/health/ready", "malformed": True})
    met = []
    for _ in range(12):
        # A connection each: so both of the workers are met.
        answer = httpx2.get(f"{sandbox.base_url}/health/live", trust_env=False)
        met.append(answer.status_code)
    assert met == [503] * 5 + [200] * 7
    assert http.get(f"{sandbox.base_url}/health/ready").content == b'{"broken": [1, 2'
    [left] = http.get(f"{sandbox.control_url}/faults").json()
    assert left["malformed"] is True


def test_a_key_ends_when_the_control_says(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    old, client.key = client.key, ec_key()
    posted = PlainInstaller(sandbox, http, old)
    posted.client_id, posted.token = client.client_id, client.token
    assert posted.post_key(client.key.members).status_code == 200
    client.log_in()
    answer = control(client, "PUT", f"keys/{old.thumbprint}", {"expiresInSeconds": 1})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "active"
    assert eventually(lambda: posted.ask_for_token().status_code == 400)
    assert eventually(lambda: [key["kid"] for key in client.live_keys()] == [client.key.thumbprint])
    gone = control(client, "PUT", f"keys/{old.thumbprint}", {"expiresInSeconds": 9})
    assert gone.status_code == 404
    bad = control(client, "PUT", f"keys/{client.key.thumbprint}", {"expiresInSeconds": -1})
    assert bad.json()["errors"][0]["pointer"] == "#/expiresInSeconds"


def test_an_installation_from_an_old_image_has_only_the_keys_that_it_had(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    assert control(client, "POST", "restore").status_code == 404
    taken = control(client, "POST", "snapshot").json()
    old, new = client.key, ec_key()
    assert [key["jwkThumbprint"] for key in taken["keys"]] == [old.thumbprint]

    assert client.post_key(new.members).status_code == 200
    client.key = new
    client.log_in()
    restored = control(client, "POST", "restore").json()
    assert [key["jwkThumbprint"] for key in restored["lostKeys"]] == [new.thumbprint]
    assert restored["lostKeys"][0]["state"] == "revoked"
    assert restored["canLogIn"] is True
    # The access token that was bound to it is as lost as the key.
    assert client.call("GET", "client").status_code == 401
    assert client.ask_for_token().json()["error"] == "invalid_client"
    client.key = old
    client.log_in()
    assert [key["kid"] for key in client.live_keys()] == [old.thumbprint]


def test_an_installation_whose_image_is_too_old_cannot_help_itself(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    control(client, "POST", "snapshot")
    old, new = client.key, ec_key()
    assert client.post_key(new.members).status_code == 200
    client.key = new
    client.log_in()
    path = f"client-secret/{old.thumbprint}?graceSeconds=0"
    assert client.call("DELETE", path).status_code == 204
    restored = control(client, "POST", "restore").json()
    assert [key["state"] for key in restored["keys"]] == ["retired"]
    assert restored["canLogIn"] is False
    for client.key in (old, new):
        assert client.ask_for_token().json()["error"] == "invalid_client"


def control(client: PlainInstaller, method: str, what: str, body: object = None) -> httpx2.Response:
    address = f"{client.service.control_url}/clients/{client.client_id}/{what}"
    return (
        client.http.request(method, address, json=body)
        if body
        else client.http.request(method, address)
    )
