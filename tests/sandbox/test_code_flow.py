import secrets
import time
from typing import Any

import httpx2
import pytest

from app.sandbox.people import FIXED, KARI, Person
from tests.sandbox.installer import (
    AUTHORIZE,
    ISSUER,
    OTHER_EC_KEY,
    PAR,
    REDIRECT,
    RSA_KEY,
    Installer,
    algorithm_of,
    assert_refused,
    claims_of,
    details,
    make_proof,
    returned,
    sign,
)

PID = "helseid://claims/identity/pid"
LEVEL = "helseid://claims/identity/security_level"
CHILD = "helseid://claims/client/claims/orgnr_child"
SINGLE = "urn:oid:2.16.578.1.12.4.1.4.101"


async def test_a_person_logs_in(installer: Installer) -> None:
    pushed = await installer.push()
    assert pushed.status_code == 201
    assert pushed.json()["expires_in"] == 600
    request_uri = pushed.json()["request_uri"]
    address = {"client_id": installer.client_id, "request_uri": request_uri}
    page = await installer.http.get(AUTHORIZE, params=address)
    assert page.status_code == 200
    for person in FIXED:
        assert person.name in page.text
        assert person.pid not in page.text
    back = returned(await installer.press(request_uri, "kari"))
    assert (back["state"], back["iss"]) == ("the-state", ISSUER)
    answer = await installer.redeem(back["code"])
    assert answer.status_code == 200, answer.text
    identity = claims_of(answer.json()["id_token"])
    assert identity["iss"] == ISSUER
    assert identity["aud"] == installer.client_id
    assert identity["nonce"] == "the-nonce"
    assert identity["name"] == "Kari Nordmann"
    assert identity[PID] == KARI.pid
    assert identity[LEVEL] == "4"
    assert identity["sub"]
    assert abs(identity["auth_time"] - time.time()) < 5


@pytest.mark.parametrize("person", FIXED, ids=lambda person: person.slug)
async def test_each_person_is_somebody_else(installer: Installer, person: Person) -> None:
    answer = await installer.redeem(await installer.code(person.slug))
    assert claims_of(answer.json()["id_token"])[PID] == person.pid


async def test_the_access_token_tells_of_the_person(installer: Installer) -> None:
    answer = await installer.redeem(await installer.code())
    claims = claims_of(answer.json()["access_token"])
    assert claims["aud"] == "nhn:msh"
    assert claims[PID] == KARI.pid
    assert claims["sub"] == claims_of(answer.json()["id_token"])["sub"]
    assert claims["helseid://claims/client/claims/orgnr_parent"] == "310000019"


async def test_a_machines_token_tells_of_no_person(installer: Installer) -> None:
    claims = claims_of((await installer.send()).json()["access_token"])
    assert not {"sub", "name", PID, LEVEL} & claims.keys()


async def test_identity_claims_follow_the_scopes(installer: Installer) -> None:
    answer = await installer.redeem(await installer.code(scope="openid"))
    claims = claims_of(answer.json()["id_token"])
    assert not {"name", PID, LEVEL} & claims.keys()
    assert "refresh_token" not in answer.json()


async def test_without_openid_there_is_no_identity_token(installer: Installer) -> None:
    answer = await installer.redeem(await installer.code(scope="nhn:msh/api"))
    assert "id_token" not in answer.json()


async def test_cancelling_goes_back_without_a_code(installer: Installer) -> None:
    request_uri = (await installer.push()).json()["request_uri"]
    back = returned(await installer.press(request_uri, "cancel"))
    assert back["error"] == "access_denied"
    assert (back["state"], back["iss"]) == ("the-state", ISSUER)
    assert "code" not in back


async def test_a_request_is_answered_once(installer: Installer) -> None:
    request_uri = (await installer.push()).json()["request_uri"]
    assert (await installer.press(request_uri, "kari")).status_code == 303
    assert (await installer.press(request_uri, "kari")).status_code == 400


async def test_a_wrong_button_leaves_the_request_as_it_is(installer: Installer) -> None:
    request_uri = (await installer.push()).json()["request_uri"]
    assert (await installer.press(request_uri, "somebody")).status_code == 400
    assert (await installer.press(request_uri, "kari")).status_code == 303


async def test_the_page_needs_a_pushed_request(installer: Installer) -> None:
    request_uri = (await installer.push()).json()["request_uri"]
    for values in (
        {},
        {"client_id": installer.client_id, "redirect_uri": REDIRECT, "response_type": "code"},
        {"client_id": "another", "request_uri": request_uri},
        {"client_id": installer.client_id, "request_uri": f"{request_uri}x"},
    ):
        answer = await installer.http.get(AUTHORIZE, params=values)
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_what_a_client_calls_itself_is_escaped(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(client_name="<script>alert(1)</script>")
    request_uri = (await installer.push()).json()["request_uri"]
    address = {"client_id": installer.client_id, "request_uri": request_uri}
    page = await http.get(AUTHORIZE, params=address)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "script" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8765/another"}, "invalid_request"),
        ({"redirect_uri": "http://localhost:8765/callback"}, "invalid_request"),
        ({"redirect_uri": "http://x@127.0.0.1:8765/callback"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:x/callback"}, "invalid_request"),
        ({"redirect_uri": f"{REDIRECT}#part"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": "openid nhn:deft/api"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"resource": "nhn:deft"}, "invalid_target"),
    ],
)
async def test_requests_are_checked_when_they_are_pushed(
    installer: Installer, changes: dict[str, str | None], error: str
) -> None:
    assert_refused(await installer.push(**changes), error)


@pytest.mark.parametrize("port", ["", ":1", ":65535"])
async def test_the_port_of_a_loopback_address_is_free(installer: Installer, port: str) -> None:
    redirect_uri = f"http://127.0.0.1{port}/callback"
    code = await installer.code(redirect_uri=redirect_uri)
    assert (await installer.redeem(code, redirect_uri=redirect_uri)).status_code == 200


async def test_a_client_without_the_grant_pushes_nothing(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(grant_types=["client_credentials"])
    assert_refused(await installer.push(), "unauthorized_client")


async def test_a_code_is_redeemed_once(installer: Installer) -> None:
    code = await installer.code()
    assert (await installer.redeem(code)).status_code == 200
    assert_refused(await installer.redeem(code), "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": secrets.token_urlsafe(32)}, "invalid_grant"),
        ({"code_verifier": "æ"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
    ],
)
async def test_a_code_is_the_clients_that_asked(
    installer: Installer, changes: dict[str, str | None], error: str
) -> None:
    code = await installer.code()
    assert_refused(await installer.redeem(code, **changes), error)


async def test_another_client_cannot_redeem_a_code(
    installer: Installer, http: httpx2.AsyncClient
) -> None:
    other = await Installer(http).register()
    code = await installer.code()
    other.verifier = installer.verifier
    assert_refused(await other.redeem(code), "invalid_grant")


async def test_organisations_ride_in_no_assertion_of_the_code_flow(installer: Installer) -> None:
    claims: dict[str, Any] = {"assertion_details": details("310000175", SINGLE)}
    pushed = await installer.push(client_assertion=installer.assertion(**claims))
    assert_refused(pushed, "invalid_request", "HID-1009")
    code = await installer.code()
    answer = await installer.redeem(code, client_assertion=installer.assertion(**claims))
    assert_refused(answer, "invalid_request", "HID-1009")
    # What was refused has not cost the code.
    assert (await installer.redeem(code)).status_code == 200


def request_object(installer: Installer, **changes: object) -> str:
    claims = {
        "iss": installer.client_id,
        "aud": ISSUER,
        "exp": int(time.time()) + 30,
        "authorization_details": [details("310000175", SINGLE)],
        "state": "signed-state",
    }
    header = {"alg": algorithm_of(installer.key), "typ": "oauth-authz-req+jwt"}
    return sign(header, claims | changes, installer.key)


async def test_organisations_ride_in_the_request_object(installer: Installer) -> None:
    pushed = await installer.push(request=request_object(installer))
    back = returned(await installer.press(pushed.json()["request_uri"], "kari"))
    assert back["state"] == "signed-state"
    answer = await installer.redeem(back["code"])
    assert claims_of(answer.json()["access_token"])[CHILD] == "310000175"
    again = await installer.refresh(answer.json()["refresh_token"])
    assert claims_of(again.json()["access_token"])[CHILD] == "310000175"


@pytest.mark.parametrize(
    "changes", [{"iss": "another"}, {"aud": "another"}, {"exp": 1}, {"exp": None}]
)
async def test_request_objects_are_checked(
    installer: Installer, changes: dict[str, object]
) -> None:
    answer = await installer.push(request=request_object(installer, **changes))
    assert_refused(answer, "invalid_request", "HID-1007")


async def test_request_objects_are_signed(installer: Installer) -> None:
    header = {"alg": "PS256"}
    token = sign(header, {"iss": installer.client_id}, RSA_KEY)
    assert_refused(await installer.push(request=token), "invalid_client", "no key")
    assert_refused(await installer.push(request="x"), "invalid_request", "HID-1007")


async def test_a_pushed_proof_binds_the_code(installer: Installer) -> None:
    challenge = await installer.push(proof=make_proof(OTHER_EC_KEY, htu=PAR))
    assert_refused(challenge, "use_dpop_nonce")
    nonce = challenge.headers["dpop-nonce"]
    pushed = await installer.push(proof=make_proof(OTHER_EC_KEY, htu=PAR, nonce=nonce))
    for key, status in ((None, 400), (RSA_KEY, 400)):
        code = returned(await installer.press(pushed.json()["request_uri"], "kari"))["code"]
        proof = make_proof(key, nonce=nonce) if key else None
        assert (await installer.redeem(code, proof=proof)).status_code == status
        pushed = await installer.push(proof=make_proof(OTHER_EC_KEY, htu=PAR, nonce=nonce))
    code = returned(await installer.press(pushed.json()["request_uri"], "kari"))["code"]
    answer = await installer.redeem(code, proof=make_proof(OTHER_EC_KEY, nonce=nonce))
    assert answer.json()["token_type"] == "DPoP"
    assert claims_of(answer.json()["access_token"])["cnf"]["jkt"] == OTHER_EC_KEY.thumbprint()
