"""Access tokens that open nothing (2 of the security rules), and API keys (3)."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OctKey, RSAKey

from tests.installers.keys import claims_of, ec_key, sign
from tests.installers.plain import REVOKED, PlainInstaller
from tests.journeys.refusals import check_token_refused, problem_of
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
RESOURCES = (
    ("GET", "client"),
    ("PUT", "client"),
    ("GET", "client-secret"),
    ("POST", "client-secret"),
    ("DELETE", "client-secret/x"),
    ("GET", "client-status"),
    ("GET", "multi-tenant-delegations"),
)


@pytest.fixture(scope="module")
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http, ec_key()).set_up()


@pytest.mark.parametrize(("method", "path"), RESOURCES)
@pytest.mark.parametrize("value", [None, "", "Basic dTpw", "DPoP", "Bearer", "x"])
def test_who_sends_no_token_is_told_how(
    client: PlainInstaller, method: str, path: str, value: str | None
) -> None:
    headers = {} if value is None else {"Authorization": value}
    answer = client.http.request(method, client.url(path), headers=headers)
    assert "Authorization: DPoP" in check_token_refused(answer, sent=False)["detail"]


def header_of(token: str) -> dict[str, Any]:
    head = token.split(".")[0]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(head + "=="))
    return decoded


def resigned(token: str, key: Any, **header: Any) -> str:
    return sign(header_of(token) | header, claims_of(token), key)


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"typ": "at+jwt", "alg": "none"}).encode())
    return f"{head.rstrip(b'=').decode()}.{token.split('.')[1]}."


def changed(token: str, **claims: Any) -> str:
    head, _, signature = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims_of(token) | claims).encode())
    return f"{head}.{body.rstrip(b'=').decode()}.{signature}"


STRANGER = RSAKey.generate_key(2048)
BAD: dict[str, Callable[[str], str]] = {
    "nonsense": lambda token: "nonsense",
    "three parts of nonsense": lambda token: "a.b.c",
    "a part short": lambda token: token.rpartition(".")[0],
    "a letter more": lambda token: f"{token}A",
    "another's signature": lambda token: resigned(token, STRANGER),
    "an unknown kid": lambda token: resigned(token, STRANGER, kid="stranger"),
    "no kid": lambda token: resigned(token, STRANGER, kid=None),
    "a shared secret": lambda token: resigned(token, OctKey.import_key("a" * 32), alg="HS256"),
    "alg none": unsigned,
    "other claims": lambda token: changed(token, client_id="0" * 8),
    "longer than 8 KiB": lambda token: changed(token, more="x" * 9000),
    "not in ASCII": lambda token: f"{token}\xe6",
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_tokens_are_refused(client: PlainInstaller, name: str) -> None:
    token = BAD[name](client.token)
    headers = {b"Authorization": f"DPoP {token}".encode("latin-1"), b"DPoP": b"x"}
    answer = client.http.get(client.url("client"), headers=headers)
    check_token_refused(answer)
    assert client.token not in answer.text


def test_there_is_exactly_one_token(client: PlainInstaller) -> None:
    twice = [("Authorization", f"DPoP {client.token}")] * 2
    proof = ("DPoP", client.proof("GET", "client"))
    answer = client.http.get(client.url("client"), headers=[*twice, proof])
    assert "exactly one" in check_token_refused(answer)["detail"]


def test_a_bound_token_does_not_pass_as_bearer(client: PlainInstaller) -> None:
    answer = client.call("GET", "client", headers={"Authorization": f"Bearer {client.token}"})
    assert "bound to a key" in check_token_refused(answer)["detail"]


def test_an_unbound_token_does_not_pass_as_dpop(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    client.log_in(bound=False)
    assert "not bound to a key" in check_token_refused(client.call("GET", "client"))["detail"]


def test_a_token_for_another_audience_opens_nothing(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    client.log_in(scope="nhn:pit/api.read")
    assert "audience" in check_token_refused(client.call("GET", "client"))["detail"]


def test_one_client_sees_nothing_of_another(sandbox: Ready, http: httpx2.Client) -> None:
    one, other = (PlainInstaller(sandbox, http).set_up() for _ in range(2))
    assert other.post_key(ec_key().members).status_code == 200
    assert [key["kid"] for key in one.live_keys()] == [one.key.thumbprint]
    path = f"client-secret/{other.key.thumbprint}"
    problem_of(one.call("DELETE", path), 404, "key-not-found")
    assert len(other.live_keys()) == 2


@pytest.mark.parametrize(
    "keys",
    [[], [""], ["nope"], [REVOKED], ["sandbox-epj", "sandbox-epj"], ["\xe6"]],
    ids=["none", "empty", "unknown", "revoked", "two", "not ASCII"],
)
def test_api_keys_that_open_nothing(
    sandbox: Ready, http: httpx2.Client, stored: Stored, keys: list[str]
) -> None:
    before = stored.everything()
    answer = http.post(
        f"{sandbox.base_url}/v1/client-drafts",
        json=PlainInstaller(sandbox, http).body(),
        headers=[(b"api-key", key.encode("latin-1")) for key in keys],
    )
    problem_of(answer, 401, "api-key-rejected")
    assert answer.headers["www-authenticate"] == 'ApiKey realm="client-drafts"'
    assert stored.everything() == before


@pytest.mark.parametrize(("method", "path"), RESOURCES)
def test_an_api_key_opens_drafts_alone(
    sandbox: Ready, http: httpx2.Client, client: PlainInstaller, method: str, path: str
) -> None:
    headers = {"api-key": sandbox.api_key}
    check_token_refused(http.request(method, client.url(path), headers=headers), sent=False)


def test_an_api_key_reads_no_draft(sandbox: Ready, http: httpx2.Client) -> None:
    installer = PlainInstaller(sandbox, http)
    assert installer.draft().status_code == 201
    headers = {"api-key": sandbox.api_key}
    listing = http.get(installer.url("client-drafts"), headers=headers)
    problem_of(listing, 405, "method-not-allowed")
    assert set(listing.headers["allow"].split(", ")) == {"OPTIONS", "POST"}
    one = http.get(installer.url(f"client-drafts/{installer.client_id}"), headers=headers)
    problem_of(one, 404, "not-found")


def test_drafts_are_limited_by_organization_and_address(
    sandbox: Ready, http: httpx2.Client, stored: Stored
) -> None:
    """The sandbox takes a hundred times what production does; those refused count as well."""
    before = stored.everything()
    incomplete = PlainInstaller(sandbox, http, organization="310000299")
    body = json.dumps({"organizationNumber": incomplete.organization}).encode()
    accepted = 0
    while (answer := incomplete.post_draft(body)).status_code == 400 and accepted < 2100:
        accepted += 1
    problem_of(answer, 429, "too-many-requests")
    assert accepted >= 1000
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert stored.everything() == before
    # Nobody else is shut out.
    assert PlainInstaller(sandbox, http).draft().status_code == 201
