"""From the old key to the new one without a moment in which the client could not log in."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest

from tests.installers.keys import claims_of, ec_key, key_proof, rsa_key
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey


@pytest.fixture
def faults(sandbox: Ready, http: httpx2.Client) -> Iterator[str]:
    address = f"{sandbox.control_url}/faults"
    yield address
    assert http.delete(address).is_success


def test_a_key_is_rolled_over_without_a_break(
    sandbox: Ready, http: httpx2.Client, faults: str
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    old, new = client.key, rsa_key(2048, "PS256")
    down = {"target": "issuer", "path": "/connect/register*", "status": 500}
    assert http.put(faults, json=[down]).is_success
    proof = key_proof(new, client.client_id, client.url("client-secret"), jti=uuid4().hex)
    answer = client.post_key({"jwk": new.members, "proof": proof})
    assert (answer.status_code, answer.json()["state"]) == (200, "activating")

    # The issuer has not heard of it: who dropped the old key now would be locked out.
    told = client.check_key(new)
    assert (told["usable"], told["reasonCode"]) == (False, "notPublishedYet")
    assert told["retryAfterSeconds"] >= 1
    retire = f"client-secret/{old.thumbprint}?graceSeconds=0"
    refused = client.call("DELETE", retire)
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("/last-usable-key")
    assert client.ask_for_token().is_success

    assert http.delete(faults).is_success
    assert eventually(lambda: bool(client.check_key(new)["usable"]), within=30)
    client.key = new
    client.log_in()
    assert claims_of(client.token)["cnf"]["jkt"] == new.thumbprint
    listed = {key["jwkThumbprint"]: key for key in client.live_keys()}
    assert all(key["lastUsedAt"] for key in listed.values())
    assert client.call("DELETE", retire).status_code == 204
    assert client.check_key(old) == {
        "usable": False,
        "reasonCode": "retired",
        "retryAfterSeconds": None,
    }
    client.key = old
    refused = client.ask_for_token()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")


def test_the_sandboxs_keys_live_for_ninety_days_and_are_renewed_in_the_last_thirty(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    [key] = client.live_keys()
    created, window = key["createdAt"][:10], key["renewalWindow"]
    assert window["to"] == key["expiration"]
    assert window["to"].endswith("T00:00:00Z")
    assert created < window["from"][:10] < window["to"][:10]


def test_a_key_of_a_squatter_goes_to_who_holds_it(sandbox: Ready, http: httpx2.Client) -> None:
    squatter = PlainInstaller(sandbox, http).set_up()
    client = PlainInstaller(sandbox, http).set_up()
    key = ec_key()
    assert squatter.post_key(key.members).status_code == 200
    assert client.post_key(key.members).status_code == 409
    proof = key_proof(key, client.client_id, client.url("client-secret"), jti=uuid4().hex)
    answer = client.post_key({"jwk": json.dumps(key.members), "proof": proof})
    assert answer.status_code == 200, answer.text
    client.key = key
    client.log_in()
    assert key.thumbprint not in {each["jwkThumbprint"] for each in squatter.live_keys()}
