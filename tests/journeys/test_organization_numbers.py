"""The organization numbers of the sandbox: each chooses what happens."""

import time
from typing import Any

import httpx2
import pytest

from tests.installers.keys import claims_of
from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.journeys.stored import Stored
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
OK = ("ok", None)
SCOPES = [CLIENT_SCOPE, "nhn:pit/api.read", "nhn:kjernejournal/innlogging"]
MSH = "nhn:msh/api"


def installer(service: Ready, http: httpx2.Client, number: str, **more: Any) -> PlainInstaller:
    return PlainInstaller(service, http, organization=number, **more)


def test_019_is_ready_right_after_confirmation(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000019").set_up()
    assert CLIENT_SCOPE in client.scopes()
    assert set(client.scopes().values()) == {OK}


def test_027_declines(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000027")
    assert client.draft().status_code == 201
    for _ in range(2):
        assert client.decide("approve").json() == {
            "clientId": client.client_id,
            "status": "Cancelled",
            "redirectUri": "http://localhost:1337/callback?status=Cancelled",
        }
    assert client.ask_for_token().json()["error"] == "invalid_client"


def test_035_waits_until_kari_is_given_the_right(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000035")
    assert client.draft().status_code == 201
    assert client.decide().json()["status"] == "Rejected"
    assert client.ask_for_token().json()["error"] == "invalid_client"
    for action, status in (("grant", "Success"), ("revoke", "Rejected")):
        change = {
            "from": "310000035",
            "to": "Kari Nordmann",
            "right": "nhn-helseid-ta-i-bruk",
            "action": action,
        }
        given = httpx2.post(
            f"{sandbox.control_url}/delegations", json=change, trust_env=False, timeout=20
        )
        assert given.is_success, given.text
        client = installer(sandbox, http, "310000035") if action == "revoke" else client
        assert client.client_id or client.draft().status_code == 201
        assert client.decide().json()["status"] == status


def test_043_has_expired_when_the_person_arrives(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener
) -> None:
    client = installer(sandbox, http, "310000043")
    answer = client.draft(postClientConfirmationRedirectUri=listener.address)
    assert answer.status_code == 201
    assert client.decide().json()["status"] == "Expired"
    with Person() as kari:
        page = kari.log_in(kari.open(answer.json()["confirmUrl"]))
    assert "Forespørselen har løpt ut" in page.text
    assert f"{listener.address}?status=Expired" in page.html
    assert client.ask_for_token().json()["error"] == "invalid_client"


def test_051_waits_for_the_apis_owner(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000051").set_up(apiScopes=SCOPES)
    waiting = ("pending", "apiAccessPending")
    assert client.scopes() == {CLIENT_SCOPE: OK, SCOPES[1]: waiting, SCOPES[2]: waiting}
    assert client.ask_for_token(scope=SCOPES[1]).json()["error"] == "invalid_scope"

    assert client.approve(scope=SCOPES[1]).status_code in (200, 204)
    assert client.scopes() == {CLIENT_SCOPE: OK, SCOPES[1]: OK, SCOPES[2]: waiting}
    assert eventually(lambda: client.ask_for_token(scope=SCOPES[1]).is_success)


def test_078_waits_with_one_scope_for_a_minute(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000078").set_up(apiScopes=SCOPES)
    waiting = ("pending", "apiAccessPending")
    assert client.scopes() == {CLIENT_SCOPE: OK, SCOPES[1]: OK, SCOPES[2]: waiting}
    assert approved_in(client.pass_time(40)) == set()
    assert client.scopes()[SCOPES[2]] == waiting
    moved = client.pass_time(21)
    assert approved_in(moved) == {client.client_id}
    # Nobody has to wait any more: all that fell due has been done, and the issuer knows it.
    assert client.scopes()[SCOPES[2]] == OK
    assert client.ask_for_token(scope=SCOPES[2]).is_success
    assert "publications" in {ran["job"] for ran in moved["ran"]}


def approved_in(moved: dict[str, Any]) -> set[str]:
    return {event["subject"] for event in moved["events"] if event["happened"] == "access.approved"}


def test_086_is_refused_one_scope(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000086").set_up(apiScopes=SCOPES)
    status, code = client.scopes().pop(SCOPES[2])
    assert (status, code) == ("pending", "apiScopeAccessRejected")
    assert client.scopes()[SCOPES[1]] == OK
    assert client.ask_for_token(scope=SCOPES[2]).json()["error"] == "invalid_scope"


def test_094_keeps_a_claims_old_value_until_the_new_one_is_approved(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = installer(sandbox, http, "310000094", api_key=EDI)
    client.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
    assert client.approve(scope=MSH).is_success
    changed = {
        "apiScopes": [CLIENT_SCOPE, MSH],
        "audienceSpecificClientClaims": [{"key": "herid", "value": "123-456"}],
    }
    assert client.put_client(changed).status_code == 204
    [claim] = client.client()["audienceSpecificClientClaims"]
    assert (claim["status"], claim["statusReasonCode"]) == ("updatePending", "claimValuePending")
    assert (claim["activeClaimValue"], claim["pendingClaimValue"]) == ("0", "123-456")
    assert herid(client) == "0"

    assert client.put_client(changed).status_code == 204  # the pending value again
    assert client.client()["audienceSpecificClientClaims"] == [claim]

    assert client.approve(claimType="herid").is_success
    [claim] = client.client()["audienceSpecificClientClaims"]
    assert (claim["status"], claim["activeClaimValue"]) == ("ok", "123-456")
    assert claim["pendingClaimValue"] is None
    assert eventually(lambda: herid(client) == "123-456")


def test_108_is_known_to_the_issuer_20_seconds_late(sandbox: Ready, http: httpx2.Client) -> None:
    """In real time: this is the slowest of the journeys."""
    client = installer(sandbox, http, "310000108")
    assert client.draft().status_code == 201
    assert client.decide().json()["status"] == "Success"
    confirmed = time.monotonic()
    assert client.ask_for_token().json()["error"] == "invalid_client"
    assert eventually(lambda: client.ask_for_token().is_success, within=30)
    assert 18 < time.monotonic() - confirmed < 26
    client.log_in()
    assert set(client.scopes().values()) == {OK}


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        ("310000124", "unknown_organization", "does not know 310000124"),
        ("310000132", "organization_deleted", "NEDLAGTE LEGEKONTOR AS"),
        ("310000175", "sub_unit", "310000019"),
    ],
)
def test_numbers_that_own_no_client_are_refused(
    sandbox: Ready, http: httpx2.Client, stored: Stored, number: str, code: str, says: str
) -> None:
    before = stored.everything()
    answer = installer(sandbox, http, number).draft()
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/organizationNumber", code)
    assert says in error["detail"]
    assert answer.json()["property"] == "organizationNumber"
    assert stored.everything() == before


def test_175_may_be_named_as_a_sub_unit_of_019(sandbox: Ready, http: httpx2.Client) -> None:
    client = installer(sandbox, http, "310000019")
    client.set_up(childOrganizationNumbers=["310000175"])
    assert client.client()["childOrganizationNumbers"] == ["310000175"]


def herid(client: PlainInstaller) -> object:
    # An owner's decision reaches the issuer by the worker; nobody waits for it.
    assert eventually(lambda: client.ask_for_token(scope=MSH).is_success)
    token = client.log_in(scope=MSH).json()["access_token"]
    client.log_in()
    return claims_of(token)["herid"]
