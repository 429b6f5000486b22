import time
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.sandbox.installer import (
    EC_KEY,
    OTHER_EC_KEY,
    PAR,
    RSA_KEY,
    TOKEN,
    Installer,
    Key,
    assert_refused,
    claims_of,
    make_proof,
)


async def nonce_for(installer: Installer) -> str:
    challenge = await installer.send(proof=make_proof(OTHER_EC_KEY))
    return str(challenge.headers["dpop-nonce"])


async def test_a_proof_without_a_nonce_is_asked_to_come_again(installer: Installer) -> None:
    answer = await installer.send(proof=make_proof(OTHER_EC_KEY))
    assert_refused(answer, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]


@pytest.mark.parametrize(
    "key",
    [
        RSA_KEY,
        RSAKey.generate_key(4096),
        ECKey.generate_key("P-256"),
        ECKey.generate_key("P-384"),
        ECKey.generate_key("P-521"),
    ],
    ids=["RSA 2048", "RSA 4096", "P-256", "P-384", "P-521"],
)
async def test_a_proof_with_a_nonce_gives_a_bound_token(installer: Installer, key: Key) -> None:
    answer = await installer.bound(key=key)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["token_type"] == "DPoP"
    assert body["expires_in"] == 600
    assert claims_of(body["access_token"])["cnf"] == {"jkt": key.thumbprint()}
    assert "dpop-nonce" not in answer.headers


async def test_without_a_proof_the_token_is_a_bearer_token(installer: Installer) -> None:
    answer = await installer.send()
    assert answer.json()["token_type"] == "Bearer"
    assert "cnf" not in claims_of(answer.json()["access_token"])
    assert "dpop-nonce" not in answer.headers


async def test_a_nonce_serves_more_than_once(installer: Installer) -> None:
    nonce = await nonce_for(installer)
    for _ in range(2):
        answer = await installer.send(proof=make_proof(OTHER_EC_KEY, nonce=nonce))
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "nonce",
    ["nonsense", "1.2", pytest.param(f"{int(time.time())}.{'0' * 32}", id="of this second"), 7, ""],
)
async def test_an_invented_nonce_is_challenged(installer: Installer, nonce: object) -> None:
    answer = await installer.send(proof=make_proof(OTHER_EC_KEY, nonce=nonce))
    assert_refused(answer, "use_dpop_nonce")


async def test_a_proof_is_used_once(installer: Installer) -> None:
    proof = make_proof(OTHER_EC_KEY, nonce=await nonce_for(installer))
    assert (await installer.send(proof=proof)).status_code == 200
    assert_refused(await installer.send(proof=proof), "invalid_dpop_proof", "used before")


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"htm": "GET"}, "htm"),
        ({"htm": None}, "htm"),
        ({"htu": PAR}, "htu"),
        ({"htu": "https://127.0.0.1:8081/sts/connect/token"}, "htu"),
        ({"htu": "http://["}, "htu"),
        ({"htu": None}, "htu"),
        ({"iat": int(time.time()) - 600}, "iat"),
        ({"iat": int(time.time()) + 600}, "iat"),
        ({"iat": str(int(time.time()))}, "iat"),
        ({"iat": None}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": 7}, "jti"),
    ],
)
async def test_claims_of_a_proof_are_checked(
    installer: Installer, claims: dict[str, Any], text: str
) -> None:
    proof = make_proof(OTHER_EC_KEY, nonce=await nonce_for(installer), **claims)
    assert_refused(await installer.send(proof=proof), "invalid_dpop_proof", text)


@pytest.mark.parametrize("htu", [f"{TOKEN}?x=1#y", TOKEN.replace("http", "HTTP", 1)])
async def test_what_does_not_count_in_the_address_is_ignored(
    installer: Installer, htu: str
) -> None:
    proof = make_proof(OTHER_EC_KEY, nonce=await nonce_for(installer), htu=htu)
    assert (await installer.send(proof=proof)).status_code == 200


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"typ": None}, "typ"),
        ({"jwk": None}, "jwk"),
        ({"jwk": "key"}, "jwk"),
        ({"jwk": EC_KEY.as_dict(private=False)}, "signature"),
        ({"jwk": OTHER_EC_KEY.as_dict(private=True)}, "private"),
        ({"jwk": OctKey.generate_key(256).as_dict(private=True)}, "private"),
        ({"jwk": {"kty": "EC", "crv": "P-192", "x": "AA", "y": "AA"}}, "jwk"),
        ({"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, "jwk"),
        ({"jwk": {}}, "jwk"),
    ],
)
async def test_headers_of_a_proof_are_checked(
    installer: Installer, header: dict[str, object], text: str
) -> None:
    proof = make_proof(OTHER_EC_KEY, header=header, nonce=await nonce_for(installer))
    assert_refused(await installer.send(proof=proof), "invalid_dpop_proof", text)


async def test_two_proofs_are_one_too_many(installer: Installer) -> None:
    headers = [("DPoP", make_proof(OTHER_EC_KEY)), ("DPoP", make_proof(OTHER_EC_KEY))]
    answer = await installer.http.post(TOKEN, data=installer.form(), headers=headers)
    assert_refused(answer, "invalid_dpop_proof", "more than one")


async def test_the_assertion_of_a_challenged_request_is_spent(installer: Installer) -> None:
    assertion = installer.assertion()
    challenge = await installer.send(proof=make_proof(OTHER_EC_KEY), client_assertion=assertion)
    proof = make_proof(OTHER_EC_KEY, nonce=challenge.headers["dpop-nonce"])
    again = await installer.send(proof=proof, client_assertion=assertion)
    assert_refused(again, "invalid_client", "used before")


@pytest.mark.parametrize("scope", ["e-helse:sfm.api/sfm.api2", "nhn:maternity-record/api"])
async def test_some_scopes_are_for_bound_tokens_only(http: httpx2.AsyncClient, scope: str) -> None:
    installer = await Installer(http).register(scope=scope)
    assert_refused(await installer.send(scope=scope), "invalid_request", "DPoP")
    assert (await installer.bound(scope=scope)).json()["token_type"] == "DPoP"


async def test_a_bearer_scope_gets_a_bound_token_when_a_proof_is_sent(
    http: httpx2.AsyncClient,
) -> None:
    scope = "e-helse:sfm.api/sfm.api"
    installer = await Installer(http).register(scope=scope)
    assert (await installer.send(scope=scope)).json()["token_type"] == "Bearer"
    assert (await installer.bound(scope=scope)).json()["token_type"] == "DPoP"


async def test_a_client_may_be_forced_to_bound_tokens(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(dpop_bound_access_tokens=True)
    assert_refused(await installer.send(), "invalid_request", "DPoP")
    assert (await installer.bound()).status_code == 200
