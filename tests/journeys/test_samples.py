"""The official sample, and the workshop's before it, from the first key to the next."""

from uuid import UUID

import httpx2
import pytest

from tests.installers.keys import claims_of
from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.samples import FIXED_UPDATE, SCOPES, Samples
from tests.installers.workshop import Workshop, client_update
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
JSON = "application/json; charset=utf-8"
OK = {"status": "ok", "statusReason": None, "statusReasonCode": None}


def test_the_official_sample_goes_its_whole_way(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener
) -> None:
    sample = Samples(sandbox, http)
    answer = sample.create_draft(listener.address)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == JSON
    assert answer.headers["location"] == f"{sandbox.base_url}/v1/onboardings/{sample.client_id}"
    assert str(UUID(sample.client_id)) == sample.client_id
    assert answer.json()["warnings"] == ["RS512 is being phased out: use PS512 with the next key."]

    with Person() as kari:
        page = kari.log_in(kari.open(sample.confirm_link()))
        assert page.status == 200
        for shown in (
            "Fjord Systemer AS",
            "Fjord EPJ",
            "FJORDBYEN LEGESENTER AS",
            "Kari Nordmann",
            *SCOPES,
            sample.key.thumbprint,
            answer.json()["pairingCode"],
            listener.address,
        ):
            assert shown in page.text, shown
        page = kari.press(page, "Bekreft", contactEmail="drift@fjordbyen.example")
    assert page.visited[-1] == f"{listener.address}?status=Success"
    assert page.text == "You can now return to the application."
    assert listener.status() == "Success"

    token = sample.fetch_token()
    assert claims_of(token)["client_id"] == sample.client_id
    client = sample.wait_until_all_is_ok(token)
    assert client == {
        "apiScopes": [{"scope": scope, **OK} for scope in SCOPES],
        "audienceSpecificClientClaims": [],
        "redirectUris": ["http://localhost:1337/callback"],
        "postLogoutRedirectUris": [],
        "childOrganizationNumbers": [],
    }

    answer = sample.call("PUT", "client", token, FIXED_UPDATE)
    assert (answer.status_code, answer.content) == (204, b"")
    client = sample.wait_until_all_is_ok(token)
    assert [scope["scope"] for scope in client["apiScopes"]] == FIXED_UPDATE["apiScopes"]
    assert client["redirectUris"] == FIXED_UPDATE["redirectUris"]

    answer = sample.post_new_key(token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    assert answer.json()["expiration"].endswith("T00:00:00Z")
    token = sample.fetch_token()
    assert claims_of(token)["cnf"] == {"jkt": sample.key.thumbprint}
    sample.wait_until_all_is_ok(token)


def test_the_sample_goes_on_with_its_old_key(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener
) -> None:
    sample = confirmed(Samples(sandbox, http), listener)
    old = sample.key
    assert sample.post_new_key(sample.fetch_token()).is_success
    sample.key = old
    sample.wait_until_all_is_ok(sample.fetch_token())


@pytest.mark.parametrize("version", ["v1", "v0.2"])
def test_the_sample_may_use_bearer_tokens(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener, version: str
) -> None:
    sample = confirmed(Samples(sandbox, http, use_dpop=False, version=version), listener)
    token = sample.fetch_token()
    assert "cnf" not in claims_of(token)
    sample.wait_until_all_is_ok(token)
    assert sample.post_new_key(token).status_code == 200


def test_the_workshop_goes_its_whole_way(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener
) -> None:
    workshop = Workshop(sandbox, http, listener.port)
    assert workshop.create_draft(None).status_code == 201
    with Person() as kari:
        page = kari.log_in(kari.open(workshop.confirm_link()))
        page = kari.press(page, "Bekreft")
        assert page.visited[-1] == f"{listener.address}?status=Success"
        assert listener.status() == "Success"

    token = workshop.fetch_token()
    before = workshop.call("GET", "client", token)
    answer = workshop.call("PUT", "client", token, client_update(before.json()))
    assert (answer.status_code, answer.content) == (204, b"")
    after = workshop.call("GET", "client", token)
    assert after.json() == before.json()
    assert after.headers["etag"] == before.headers["etag"]

    answer = workshop.call("GET", "multi-tenant-delegations", token)
    assert (answer.status_code, answer.json()) == (200, [])
    assert workshop.post_new_key(token).status_code == 200
    workshop.wait_until_all_is_ok(workshop.fetch_token())


def confirmed(sample: Samples, listener: LoopbackListener) -> Samples:
    assert sample.create_draft(listener.address).status_code == 201
    with Person() as kari:
        kari.press(kari.log_in(kari.open(sample.confirm_link())), "Bekreft")
    assert listener.status() == "Success"
    return sample
