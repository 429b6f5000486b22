"""The client that acts for many, which the sandbox has ready: with the workshop's habits."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey

import app.sandbox
from tests.installers.keys import InstallersKey, claims_of
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
FILE = Path(app.sandbox.__file__).with_name("multi_tenant_client.json")
FULLMAKT, REKVISISJON = "nhn:fullmakt/read", "nhn:parek/rekvisisjon"
PARENT = "helseid://claims/client/claims/orgnr_parent"


@pytest.fixture
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    published = json.loads(FILE.read_bytes())
    private = published["privateJwk"]
    public = {name: value for name, value in private.items() if name != "d"}
    key = InstallersKey(ECKey.import_key(private), private["alg"], public)
    client = PlainInstaller(sandbox, http, key)
    client.client_id = published["clientId"]
    client.log_in()
    return client


def test_it_reads_who_has_delegated_to_it(client: PlainInstaller) -> None:
    answer = client.call("GET", "multi-tenant-delegations")
    assert answer.status_code == 200
    signed = {}
    for entry in answer.json():
        assert entry.keys() == {"delegator", "serviceTerms"}
        delegator = entry["delegator"]
        assert delegator.keys() == {"organizationNumber", "name", "isHelsenettMember"}
        signed[delegator["organizationNumber"]] = {
            scope: terms["delegatorHasSigned"]
            for terms in entry["serviceTerms"]
            for scope in terms["scopes"]
        }
    assert signed == {
        "310000019": {FULLMAKT: True, REKVISISJON: True},
        "310900060": {FULLMAKT: True, REKVISISJON: False},
        "310000051": {FULLMAKT: False, REKVISISJON: False},
    }


def details(parent: str, child: str | None = None) -> dict[str, Any]:
    """As the .NET library writes it: with a colon behind, where there is no child."""
    identifier = {
        "system": "urn:oid:1.0.6523",
        "type": "ENH",
        "value": f"NO:ORGNR:{parent}:{child or ''}",
    }
    organization = {"organization": {"identifier": identifier}}
    return {"type": "helseid_authorization", "practitioner_role": organization}


@pytest.mark.parametrize("member", ["assertion_details", "authorization_details"])
def test_scopes_whose_terms_are_not_signed_are_left_out(
    client: PlainInstaller, member: str
) -> None:
    client.assertion_claims = {member: [details("310900060")]}
    answer = client.log_in(scope=f"{FULLMAKT} {REKVISISJON}").json()
    assert (answer["scope"], answer["rejected_scope"]) == (FULLMAKT, REKVISISJON)
    assert claims_of(client.token)[PARENT] == "310900060"


def test_nothing_is_given_for_who_has_not_delegated(client: PlainInstaller) -> None:
    client.assertion_claims = {"assertion_details": [details("310000299")]}
    answer = client.ask_for_token(scope=FULLMAKT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_it_changes_itself_as_others_do(client: PlainInstaller) -> None:
    """The API's changes are for all kinds of clients."""
    before = client.client()
    scopes = [scope["scope"] for scope in before["apiScopes"]]
    answer = client.put_client({"apiScopes": scopes, "redirectUris": before["redirectUris"]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.client() == before
