"""Short JWTs by which a key is shown to be held."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.access.key_proofs import KeyProofRefused, verified_key_proof
from app.access.public_jwk import PublicKey, acceptable_jwk
from tests.installers.keys import InstallersKey, ec_key, key_proof, rsa_key

CLIENT = uuid4()
URL = "https://onboarding.example/v1/client-drafts/x/activation"
URLS = [URL, "http://localhost:8080/v1/client-drafts/x/activation"]
KEY = ec_key("P-384")


def public(key: InstallersKey) -> PublicKey:
    return acceptable_jwk(key.bare, pointer="#")


def verified(proof: str, key: InstallersKey = KEY, **more: Any) -> dict[str, Any]:
    return verified_key_proof(
        proof,
        public(key),
        client_id=CLIENT,
        urls=URLS,
        pointer="#/proof",
        now=datetime.now(UTC),
        **more,
    )


def now() -> int:
    return int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize("key", [ec_key(), ec_key("P-521"), rsa_key(2048, "PS256")])
@pytest.mark.parametrize("url", URLS)
def test_what_the_key_has_signed_for_this_call_is_believed(key: InstallersKey, url: str) -> None:
    assert verified(key_proof(key, str(CLIENT), url, code="c"), key)["code"] == "c"


def test_an_address_may_be_spelled_in_another_way() -> None:
    spelled = "HTTPS://ONBOARDING.example:443/v1/client-drafts/%78/activation"
    assert verified(key_proof(KEY, str(CLIENT), spelled))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"typ": "dpop+jwt"}, "typ"),
        ({"alg": "RS256", "sign_with": rsa_key(2048, "RS256")}, "alg"),
        ({"sign_with": ec_key("P-384")}, "signature"),
        ({"iss": str(uuid4())}, "iss"),
        ({"sub": None}, "sub"),
        ({"aud": "https://onboarding.example/v1/client-secret"}, "aud"),
        ({"aud": [URL]}, "aud"),
        ({"aud": None}, "aud"),
        ({"iat": None}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"iat": now() - 70}, "iat"),
        ({"iat": now() + 4_000}, "iat"),  # also when this is run an hour later
        ({"exp": now() - 6}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"iss": "x", "aud": "x"}, "iss, aud"),
    ],
)
def test_what_is_wrong_is_told_all_at_once(changes: dict[str, Any], names: str) -> None:
    proof = key_proof(KEY, str(CLIENT), URL, **changes)
    with pytest.raises(KeyProofRefused, match=f"Wrong in the JWT: {names}. Expected") as refused:
        verified(proof)
    [error] = refused.value.errors
    assert (error.pointer, error.code) == ("#/proof", "key_proof")


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a" * 9000, "e30.e30."])
def test_what_is_no_jwt_is_refused(text: str) -> None:
    with pytest.raises(KeyProofRefused, match="cannot be read"):
        verified(text)


def test_an_end_that_is_to_come_is_no_matter() -> None:
    assert verified(key_proof(KEY, str(CLIENT), URL, exp=now() + 5, jti=7))["jti"] == 7


@pytest.mark.parametrize("jti", [None, "", 7, "x" * 257, "a\0b"])
def test_what_may_be_used_once_has_a_name(jti: Any) -> None:
    proof = key_proof(KEY, str(CLIENT), URL, jti=jti)
    with pytest.raises(KeyProofRefused, match="Wrong in the JWT: jti"):
        verified(proof, remembered_since=0)


def test_what_may_have_been_used_is_refused() -> None:
    proof = key_proof(KEY, str(CLIENT), URL, jti="once", iat=now() - 10)
    assert verified(proof, remembered_since=now() - 20)
    with pytest.raises(KeyProofRefused, match="Wrong in the JWT: iat"):
        verified(proof, remembered_since=now() - 5)
