"""The rules that must not break (2.14 of the contract), where no client's journey shows them."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from tests.installers.keys import ec_key, proof
from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.installers.workshop import client_update
from tests.journeys.raw_http import read_answer
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
JSON = "application/json; charset=utf-8"


@pytest.fixture
def installer(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http)


@pytest.fixture
def client(installer: PlainInstaller) -> PlainInstaller:
    return installer.set_up()


@pytest.mark.parametrize("path", ["callback", "/callback", "%2Fcallback"])
def test_the_old_link_redirects_with_and_without_a_slash(
    installer: PlainInstaller, listener: LoopbackListener, path: str
) -> None:
    answer = installer.draft(postClientConfirmationRedirectUri=None)
    link = f"{answer.json()['confirmUrl']}?redirectPort={listener.port}&redirectPath={path}"
    with Person() as kari:
        page = kari.press(kari.log_in(kari.open(link)), "Bekreft")
    assert page.address == f"http://localhost:{listener.port}/callback?status=Success"
    assert listener.status() == "Success"


@pytest.mark.parametrize("query", ["redirectPort=9&redirectPath=x", "redirectPort=%3Cport%3E"])
def test_the_old_query_counts_for_nothing_beside_an_address(
    installer: PlainInstaller, listener: LoopbackListener, query: str
) -> None:
    address = f"{listener.address}?installation=7"
    answer = installer.draft(postClientConfirmationRedirectUri=address)
    with Person() as kari:
        page = kari.log_in(kari.open(f"{answer.json()['confirmUrl']}?{query}"))
        assert kari.press(page, "Bekreft").address == f"{address}&status=Success"
    assert listener.came.get(timeout=5) == "?installation=7&status=Success"


def test_a_link_without_any_address_ends_on_a_page(installer: PlainInstaller) -> None:
    answer = installer.draft(postClientConfirmationRedirectUri=None)
    with Person() as kari:
        page = kari.press(kari.log_in(kari.open(answer.json()["confirmUrl"])), "Bekreft")
    assert page.status == 200
    assert page.address.startswith(answer.json()["confirmUrl"])
    assert "Oppsettet er bekreftet" in page.text


def test_declining_is_told_as_cancelled(
    installer: PlainInstaller, listener: LoopbackListener
) -> None:
    answer = installer.draft(postClientConfirmationRedirectUri=listener.address)
    with Person() as kari:
        page = kari.press(kari.log_in(kari.open(answer.json()["confirmUrl"])), "Avbryt")
        page = kari.press(page, "Avvis", reason="notOrdered")
    assert page.address == f"{listener.address}?status=Cancelled"
    assert installer.ask_for_token().json()["error"] == "invalid_client"


def test_confirming_twice_says_success_twice(
    installer: PlainInstaller, listener: LoopbackListener
) -> None:
    answer = installer.draft(postClientConfirmationRedirectUri=listener.address)
    with Person() as kari, Person() as again:
        first = kari.log_in(kari.open(answer.json()["confirmUrl"]))
        second = again.log_in(again.open(answer.json()["confirmUrl"]))
        for person, page in ((kari, first), (again, second)):
            assert person.press(page, "Bekreft").address == f"{listener.address}?status=Success"


def test_an_unconfirmed_client_gets_no_token(installer: PlainInstaller) -> None:
    assert installer.draft().status_code == 201
    refused = installer.ask_for_token()
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_client"
    assert "dpop-nonce" not in refused.headers


@pytest.mark.parametrize("form", ["string", "pretty string", "object"])
@pytest.mark.parametrize("content_type", ["application/json", JSON])
def test_a_key_comes_as_a_string_and_as_an_object(
    client: PlainInstaller, form: str, content_type: str
) -> None:
    jwk = ec_key(kid=f"nøkkel/{uuid4()}").members
    sent = {"string": json.dumps(jwk), "pretty string": f"{json.dumps(jwk, indent=4)}\n\n"}
    answer = client.post_key(sent.get(form, jwk), {"Content-Type": content_type})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == JSON
    assert answer.json()["expiration"].endswith("T00:00:00Z")
    entry = client.live_keys()[-1]
    assert entry["kid"] == jwk["kid"]
    assert entry["origin"] == "Api"
    assert entry["publicJwk"] is None
    assert entry["expiration"] == answer.json()["expiration"]


def test_a_draft_takes_the_key_as_an_object(installer: PlainInstaller) -> None:
    installer.set_up(publicJwk=installer.key.members)
    assert [key["kid"] for key in installer.live_keys()] == [installer.key.thumbprint]


def test_whoever_holds_the_body_back_is_told_to_go_on(installer: PlainInstaller) -> None:
    """As HTTP's own rules and .NET Framework's `HttpWebRequest` have it."""
    body = json.dumps(installer.body()).encode()
    parts = urlsplit(installer.url("client-drafts"))
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nApi-Key: {installer.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        answer = read_answer(connection)
    assert answer
    assert answer.status == 201


def test_a_key_without_kid_goes_by_its_thumbprint(client: PlainInstaller) -> None:
    key = ec_key("P-521")
    answer = client.post_key(key.bare)
    assert answer.json()["kid"] == answer.json()["jwkThumbprint"] == key.thumbprint


def test_posting_a_live_key_again_gives_the_first_answer(client: PlainInstaller) -> None:
    jwk = ec_key().members
    first, second = client.post_key(jwk), client.post_key(json.dumps(jwk))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert len(client.live_keys()) == 2


CLAIMS_CLIENT = {
    "apiScopes": [CLIENT_SCOPE, "nhn:msh/api"],
    "audienceSpecificClientClaims": [{"key": "herid", "value": "0"}],
    "redirectUris": ["http://localhost:1337/callback", "https://epj.fjord.example/callback"],
    "postLogoutRedirectUris": ["http://localhost:1337/after"],
    "childOrganizationNumbers": ["310000175"],
}


def test_reading_names_everything_that_was_asked_for(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up(**CLAIMS_CLIENT).client()
    waiting = client["apiScopes"][1]
    assert waiting["statusReason"].startswith("Klienten venter på")
    assert client == {
        "apiScopes": [
            {"scope": CLIENT_SCOPE, "status": "ok", "statusReason": None, "statusReasonCode": None},
            {
                "scope": "nhn:msh/api",
                "status": "pending",
                "statusReason": waiting["statusReason"],
                "statusReasonCode": "apiAccessPending",
            },
        ],
        "audienceSpecificClientClaims": [
            {
                "claimType": "herid",
                "activeClaimValue": "0",
                "pendingClaimValue": None,
                "status": "ok",
                "statusReason": None,
                "statusReasonCode": None,
            }
        ],
        "redirectUris": CLAIMS_CLIENT["redirectUris"],
        "postLogoutRedirectUris": CLAIMS_CLIENT["postLogoutRedirectUris"],
        "childOrganizationNumbers": ["310000175"],
    }


@pytest.mark.parametrize("asked", [CLAIMS_CLIENT, {"redirectUris": []}], ids=["full", "empty"])
def test_putting_what_was_read_changes_nothing(
    sandbox: Ready, http: httpx2.Client, asked: dict[str, Any]
) -> None:
    client = PlainInstaller(sandbox, http).set_up(**asked)
    before = client.call("GET", "client")
    for body in (client_update(before.json()), client_update(before.json()) | {"other": [1]}):
        answer = client.put_client(body)
        assert (answer.status_code, answer.content) == (204, b"")
    after = client.call("GET", "client")
    assert after.json() == before.json()
    assert after.headers["etag"] == before.headers["etag"]


@pytest.mark.parametrize("absent", [{}, {"redirectUris": None}], ids=["absent", "null"])
def test_redirect_uris_may_be_left_out_only_where_the_system_shares_them(
    sandbox: Ready, http: httpx2.Client, absent: dict[str, None]
) -> None:
    per_client = PlainInstaller(sandbox, http).set_up()
    refused = per_client.put_client({"apiScopes": [CLIENT_SCOPE], **absent})
    assert refused.status_code == 400
    assert refused.json()["property"] == "redirectUris"
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/redirectUris"]

    shared = PlainInstaller(sandbox, http, api_key=EDI).set_up()
    bodies: list[dict[str, Any]] = [dict(absent), {"redirectUris": []}]
    for body in bodies:
        answer = shared.put_client({"apiScopes": [CLIENT_SCOPE], **body})
        assert answer.status_code == 204, answer.text
    assert shared.client()["redirectUris"] == []


def test_null_in_a_draft_is_as_absent(sandbox: Ready, http: httpx2.Client) -> None:
    members = (
        "apiScopes",
        "audienceSpecificClientClaims",
        "redirectUris",
        "externalRef",
        "pairing",
    )
    lists = ("postLogoutRedirectUris", "childOrganizationNumbers")
    nothing = dict.fromkeys((*members, *lists, "postClientConfirmationRedirectUri"))
    with_nulls = PlainInstaller(sandbox, http).set_up(**nothing, unknown={"a": [1]})
    without = PlainInstaller(sandbox, http).set_up(postClientConfirmationRedirectUri=None)
    assert with_nulls.client() == without.client()


def test_a_null_member_of_a_jwk_is_as_absent(client: PlainInstaller) -> None:
    key = ec_key()
    answer = client.post_key(key.members | {"d": None, "use": None, "key_ops": [], "x5c": None})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("version", ["v0.1", "v0.2", "v1"])
def test_old_paths_answer_as_the_new_ones_do(client: PlainInstaller, version: str) -> None:
    service = client.service
    for path in ("client", "client-secret", "client-status", "multi-tenant-delegations"):
        url = f"{service.base_url}/{version}/{path}"
        headers = {
            "Authorization": f"DPoP {client.token}",
            "DPoP": proof(client.key, "GET", url, token=client.token),
        }
        answer = client.http.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == JSON
    drafted = client.http.post(
        f"{service.base_url}/{version}/client-drafts",
        headers={"api-key": service.api_key},
        json=PlainInstaller(service, client.http).body(),
    )
    assert drafted.status_code == 201


def test_the_legacy_status_tells_what_waits(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up(**CLAIMS_CLIENT)
    assert client.call("GET", "client-status").json() == {
        "status": "Limited",
        "details": {
            "clientStatus": {"active": True, "reason": None},
            "apiScopeAccessStatuses": [
                {"granted": True, "scope": CLIENT_SCOPE, "reason": None},
                {"granted": False, "scope": "nhn:msh/api", "reason": "ApiAccessPending"},
            ],
        },
    }


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_reasons_come_in_the_callers_language(
    sandbox: Ready, http: httpx2.Client, language: str
) -> None:
    client = PlainInstaller(sandbox, http).set_up(**CLAIMS_CLIENT)
    answer = client.call("GET", "client", headers={"Accept-Language": language})
    begins = {"nb": "Klienten venter på", "nn": "Klienten ventar på", "en": "The client waits for"}
    assert answer.json()["apiScopes"][1]["statusReason"].startswith(begins[language])
    assert answer.headers["vary"] == "Accept-Language"
