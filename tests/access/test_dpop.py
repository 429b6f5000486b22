"""One table row for each way in which a proof can be wrong."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from app.access.dpop import DPOP_ALGORITHMS, Proof, ProofRejected, verified_proof
from app.access.request_url import same_url
from tests.access.keys import PrivateKey, ec_key, private, public, rsa_key

URL = "https://onboarding.example/v1/client"
URLS = [URL, "http://127.0.0.1:8080/v1/client"]
TOKEN = "an-access-token"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IAT = int(NOW.timestamp())


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def proof(
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    *,
    key: PrivateKey | None = None,
    alg: str = "ES256",
) -> str:
    """A good proof, less what the arguments change; a member that is None is left out."""
    key = key or ec_key()
    full = {"typ": "dpop+jwt", "alg": alg, "jwk": public(key)} | (header or {})
    said = {
        "jti": "7d6c1f",
        "htm": "GET",
        "htu": URL,
        "iat": IAT,
        "ath": base64url(hashlib.sha256(TOKEN.encode()).digest()),
    } | (claims or {})
    return signed(full, said, key, alg)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any, alg: str) -> str:
    """By hand: the library refuses to write some of what must be refused."""
    parts = (
        json.dumps({name: value for name, value in part.items() if value is not None})
        for part in (header, claims)
    )
    text = ".".join(base64url(part.encode()) for part in parts)
    return f"{text}.{base64url(jws.JWSRegistry.algorithms[alg].sign(text.encode(), key))}"


def verify(text: str, **changes: Any) -> Proof:
    request: dict[str, Any] = {
        "method": "GET",
        "urls": URLS,
        "access_token": TOKEN,
        "now": NOW,
        "not_before": 0,
    }
    return verified_proof(text, **(request | changes))


def wrong_in(text: str, **changes: Any) -> str:
    with pytest.raises(ProofRejected) as refused:
        verify(text, **changes)
    return refused.value.detail.removeprefix("Wrong in the proof: ").partition(". ")[0]


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        *[(rsa_key(), alg) for alg in DPOP_ALGORITHMS if alg[0] in "RP"],
        (rsa_key(4096), "PS256"),
        (rsa_key(4096), "RS512"),
        (ec_key("P-256"), "ES256"),
        (ec_key("P-384"), "ES384"),
        (ec_key("P-521"), "ES512"),
    ],
)
def test_a_good_proof_is_accepted(key: PrivateKey, alg: str) -> None:
    accepted = verify(proof(key=key, alg=alg))
    assert accepted == Proof(key.thumbprint(), "7d6c1f", NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("wrong", "header", "claims"),
    [
        ("typ", {"typ": "JWT"}, {}),
        ("typ", {"typ": None}, {}),
        ("jwk", {"jwk": private(ec_key())}, {}),
        ("jwk", {"jwk": None}, {}),
        ("jwk", {"jwk": "a"}, {}),
        ("jwk", {"jwk": public(ec_key()) | {"use": "enc"}}, {}),
        ("jwk", {"jwk": public(ec_key()) | {"x": public(ec_key())["y"]}}, {}),
        ("jwk", {"jwk": public(ec_key()) | {"key_ops": ["sign"]}}, {}),
        ("jwk", {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, {}),
        ("htm", {}, {"htm": "POST"}),
        ("htm", {}, {"htm": "get"}),
        ("htm", {}, {"htm": None}),
        ("htu", {}, {"htu": "https://evil.example/v1/client"}),
        ("htu", {}, {"htu": URL + "/"}),
        ("htu", {}, {"htu": URL.upper()}),
        ("htu", {}, {"htu": "http://onboarding.example/v1/client"}),
        ("htu", {}, {"htu": "https://onboarding.example:8443/v1/client"}),
        ("htu", {}, {"htu": "/v1/client"}),
        ("htu", {}, {"htu": [URL]}),
        ("htu", {}, {"htu": None}),
        ("ath", {}, {"ath": base64url(hashlib.sha256(b"of another token").digest())}),
        ("ath", {}, {"ath": None}),
        ("iat", {}, {"iat": IAT - 61}),
        ("iat", {}, {"iat": IAT + 11}),
        ("iat", {}, {"iat": None}),
        ("iat", {}, {"iat": str(IAT)}),
        ("iat", {}, {"iat": True}),
        ("iat", {}, {"iat": float("nan")}),
        ("iat", {}, {"iat": float("inf")}),
        ("iat", {}, {"iat": 10**400}),
        ("jti", {}, {"jti": ""}),
        ("jti", {}, {"jti": 7}),
        ("jti", {}, {"jti": None}),
        ("jti", {}, {"jti": "x" * 257}),
        ("jti", {}, {"jti": "a\0b"}),
        ("jti", {}, {"jti": "\ud800"}),
        ("htu, ath", {}, {"htu": "https://evil.example", "ath": "x"}),
        (
            "typ, jwk, htm, htu, iat, ath, jti",
            {"typ": "x", "jwk": 1},
            dict.fromkeys(("htm", "htu", "iat", "ath", "jti"), 0),
        ),
    ],
)
def test_what_is_wrong_is_named(wrong: str, header: dict[str, Any], claims: dict[str, Any]) -> None:
    assert wrong_in(proof(header, claims)) == wrong


@pytest.mark.parametrize(("bits", "alg"), [(2048, "PS256"), (2048, "RS256"), (4096, "PS512")])
def test_a_signature_by_another_rsa_key_is_refused(bits: int, alg: str) -> None:
    another = RSAKey.generate_key(bits)
    assert wrong_in(proof({"jwk": public(another)}, key=rsa_key(bits), alg=alg)) == "signature"


@pytest.mark.parametrize(
    ("curve", "alg"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")]
)
def test_a_signature_by_another_ec_key_is_refused(curve: str, alg: str) -> None:
    another = ECKey.generate_key(curve)
    assert wrong_in(proof({"jwk": public(another)}, key=ec_key(curve), alg=alg)) == "signature"


def test_changed_claims_are_refused() -> None:
    header, _, signature = proof(claims={"jti": "another"}).split(".")
    claims = proof().split(".")[1]
    assert wrong_in(f"{header}.{claims}.{signature}") == "signature"


@pytest.mark.parametrize(
    ("key", "alg", "claimed"),
    [
        (ec_key("P-384"), "ES384", "ES256"),
        (rsa_key(), "PS256", "ES256"),
        (ec_key(), "ES256", "RS256"),
        (ec_key(), "ES256", "none"),
        (ec_key(), "ES256", "HS256"),
        (ec_key(), "ES256", "es256"),
    ],
)
def test_an_algorithm_that_does_not_fit_the_key_is_refused(
    key: PrivateKey, alg: str, claimed: str
) -> None:
    _, claims, signature = proof(key=key, alg=alg).split(".")
    header = {"typ": "dpop+jwt", "alg": claimed, "jwk": public(key)}
    forged = base64url(json.dumps(header).encode())
    assert wrong_in(f"{forged}.{claims}.{signature}") == "alg"


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    secret = OctKey.import_key(json.dumps(public(rsa_key())))
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": public(rsa_key())}
    assert "alg" in wrong_in(signed(header, {}, secret, "HS256"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "e30.e30.e30",
        "e30.e30.",
        "W10.W10.W10",
        "æ.ø.å",
        proof() + ".x",
        proof() + "=",
        proof() + "\n",
        " " + proof(),
        proof() + ", " + proof(),
        proof().rpartition(".")[0] + ".",
        base64url(b"[" * 3000) + ".e30.e30",
        base64url(b'{"alg":"ES256"}') + "." + base64url(b"[" * 4000) + ".e30",
        base64url(b'{"alg":"ES256"}') + "." + base64url(b"1" * 4500) + ".e30",
        base64url(b'"alg b64"') + ".e30.e30",
        base64url(b'["alg","b64"]') + ".e30.e30",
        base64url(b'{"alg":"ES256","b64":false}') + ".e30.e30",
        proof({"crit": ["exp"], "exp": 1}),
        proof({"b64": False, "crit": ["b64"]}),
        proof({"crit": []}),
        proof({"x5c": ["A" * 4000]}),
        proof(claims={"filler": "x" * 8192}),
        proof(claims={"filler": "x" * 5900}),  # each part is within bounds, the whole is not
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ProofRejected, match="cannot be read"):
        verify(text)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"kid": "anything"}, {}),
        ({"jwk": public(ec_key()) | {"alg": "ES256", "kid": "k", "use": "sig"}}, {}),
        ({"jwk": public(ec_key()) | {"d": None, "key_ops": []}}, {}),
        ({"cty": "x", "unknown": 1}, {"more": {"a": 1}, "nonce": "n"}),
        ({}, {"iat": IAT - 60}),
        ({}, {"iat": IAT + 10}),
        ({}, {"iat": IAT + 0.5}),
        ({}, {"jti": "x"}),
        ({}, {"jti": "x" * 256}),
        ({}, {"htu": URLS[1]}),
        ({}, {"htu": "HTTPS://Onboarding.EXAMPLE:443/v1/client?a=b#c"}),
        ({}, {"htu": "https://onboarding.example/%76%31/./x/../client"}),
    ],
)
def test_what_real_clients_send_besides_is_accepted(
    header: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert verify(proof(header, claims)).key_thumbprint == ec_key().thumbprint()


def test_a_proof_from_before_a_restore_is_refused() -> None:
    verify(proof(), not_before=IAT)
    assert wrong_in(proof(), not_before=IAT + 1) == "iat"


def test_a_refusal_tells_what_was_expected_and_which_algorithms_there_are() -> None:
    with pytest.raises(ProofRejected) as refused:
        verify(proof(claims={"htu": "https://evil.example"}))
    assert URL in refused.value.detail
    assert TOKEN not in refused.value.detail
    assert refused.value.headers["WWW-Authenticate"] == (
        'DPoP error="invalid_dpop_proof",'
        ' algs="PS256 PS384 PS512 RS256 RS384 RS512 ES256 ES384 ES512"'
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a/b", "https://a:443/b", True),
        ("http://a/b", "http://a:80/b", True),
        ("http://a/b", "http://a:/b", True),
        ("http://a", "http://a/", True),
        ("http://a/%7euser", "http://a/~user", True),
        ("http://a/%c3%a6", "http://a/%C3%A6", True),
        ("http://a/b/../c", "http://a/c", True),
        ("http://a/../../c", "http://a/c", True),
        ("http://a/b/.", "http://a/b/", True),
        ("http://a/b/%2e%2e/c", "http://a/c", True),
        ("http://[::1]:8080/b", "http://[::1]:8080/b?x", True),
        ("http://a/b%2Fc", "http://a/b/c", False),
        ("http://a//b", "http://a/b", False),
        ("http://a/B", "http://a/b", False),
        ("http://a/b;p", "http://a/b", False),
        ("http://u@a/b", "http://a/b", False),
        ("http://a:81/b", "http://a/b", False),
        ("http://a:99999/b", "http://a/b", False),
        ("http://[a/b", "http://a/b", False),
        ("http://a/b\n", "http://a/b", False),
        ("http://a/ b", "http://a/b", False),
        ("http://a\\@b/", "http://a/", False),
        ("//a/b", "http://a/b", False),
    ],
)
def test_when_two_addresses_are_the_same(one: str, other: str, same: bool) -> None:
    assert same_url(one, other) is same
    assert same_url(other, one) is same


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_addresses_can_be_compared(one: str, other: str) -> None:
    assert same_url(f"http://a/{one}", f"http://a/{other}") in (True, False)
    assert same_url(one, other) in (True, False)


@given(st.integers(0, len(proof()) - 1), st.characters())
@settings(deadline=None)
def test_no_changed_character_passes(place: int, character: str) -> None:
    good = proof()
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        with pytest.raises(ProofRejected):
            verify(changed)
