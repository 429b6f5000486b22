"""What the token issuer must do for its clients (2.14, rules 15 to 17 of the contract)."""

import time
from typing import Any

import httpx2
import pytest

from tests.installers.issuer import discover
from tests.installers.keys import claims_of, ec_key, rsa_key
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey


@pytest.fixture
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up()


def test_discovery_names_the_issuer_without_a_slash(sandbox: Ready, http: httpx2.Client) -> None:
    document = discover(http, sandbox.issuer)
    assert not document["issuer"].endswith("/")
    assert document["token_endpoint"] == f"{sandbox.issuer}/connect/token"


@pytest.mark.parametrize(
    ("form", "bound"),
    [({}, True), ({}, False), ({"client_id": None}, True), ({"scope": None}, True)],
    ids=["dpop", "bearer", "no client_id", "no scope"],
)
def test_token_answers_always_name_scope_and_type(
    client: PlainInstaller, form: dict[str, None], bound: bool
) -> None:
    answer = client.ask_for_token(bound=bound, **form)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == ("DPoP" if bound else "Bearer")
    assert CLIENT_SCOPE in answer.json()["scope"].split()
    assert "dpop-nonce" not in answer.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 5},
        {"seconds": 60},
        {"kid": "the server's own"},
        {"typ": "JWT"},
        {"typ": None},
        {"iat": str(int(time.time()))},
    ],
    ids=["5 s", "60 s", "kid", "old typ", "no typ", "iat as text"],
)
def test_assertions_of_all_known_clients_are_accepted(
    client: PlainInstaller, changes: dict[str, Any]
) -> None:
    answer = client.ask_for_token(client_assertion=client.assertion(**changes), bound=False)
    assert answer.status_code == 200, answer.text


def test_an_audience_may_end_with_a_slash(client: PlainInstaller) -> None:
    assertion = client.assertion(aud=f"{client.service.issuer}/")
    assert client.ask_for_token(client_assertion=assertion, bound=False).status_code == 200


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
)
def test_every_algorithm_of_a_registered_key_logs_in(client: PlainInstaller, alg: str) -> None:
    curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
    key = ec_key(curves[alg]) if alg in curves else rsa_key(2048, alg)
    assert client.post_key(key.members).status_code == 200
    client.key = key
    client.log_in()
    assert claims_of(client.token)["cnf"]["jkt"] == key.thumbprint
    assert client.client()["apiScopes"]
