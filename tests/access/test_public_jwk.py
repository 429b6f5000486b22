"""Every rule of a public key, and that nothing but a refusal comes of what breaks one."""

import base64
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from app.access.public_jwk import (
    PRIVATE_MEMBERS,
    KeyRefused,
    acceptable_jwk,
    base64url_octets,
)
from tests.access.keys import PrivateKey, ec_key, private, public, rsa_key

KEYS: list[PrivateKey] = [
    rsa_key(2048),
    rsa_key(4096),
    ec_key("P-256"),
    ec_key("P-384"),
    ec_key("P-521"),
]


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def integer(number: int, size: int | None = None) -> str:
    return base64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def refusal(jwk: dict[str, Any]) -> KeyRefused:
    with pytest.raises(KeyRefused) as refused:
        acceptable_jwk(jwk, pointer="#/publicJwk")
    return refused.value


def faults(jwk: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in refusal(jwk).errors]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.key_type}-{key.raw_value.key_size}")
def test_a_good_key_is_accepted_with_its_thumbprint(key: PrivateKey) -> None:
    accepted = acceptable_jwk(public(key), pointer="#")
    assert accepted.thumbprint == accepted.kid == key.thumbprint()
    assert accepted.parameters == public(key)
    assert accepted.key.thumbprint() == key.thumbprint()
    assert accepted.alg is None
    assert accepted.warnings == ()


def test_the_thumbprint_of_rfc_7638_comes_out() -> None:
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_B"
        "JECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhA"
        "I4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = acceptable_jwk({"kty": "RSA", "n": n, "e": "AQAB", "kid": "2011-04-29"}, pointer="#")
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key.kid == "2011-04-29"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        *[(rsa_key(), alg) for alg in ("PS256", "PS384", "PS512")],
        (ec_key("P-256"), "ES256"),
        (ec_key("P-384"), "ES384"),
        (ec_key("P-521"), "ES512"),
    ],
)
def test_an_algorithm_that_fits_is_accepted(key: PrivateKey, alg: str) -> None:
    accepted = acceptable_jwk(public(key) | {"alg": alg}, pointer="#")
    assert (accepted.alg, accepted.warnings) == (alg, ())


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_rs_algorithms_bring_a_warning(alg: str) -> None:
    accepted = acceptable_jwk(public(rsa_key()) | {"alg": alg}, pointer="#")
    assert accepted.alg == alg
    assert alg.replace("RS", "PS") in accepted.warnings[0]


@pytest.mark.parametrize(
    ("key", "change", "fault"),
    [
        (ec_key(), {"alg": "ES384"}, ("alg", "wrong_alg")),
        (ec_key("P-521"), {"alg": "ES256"}, ("alg", "wrong_alg")),
        (ec_key(), {"alg": "PS256"}, ("alg", "wrong_alg")),
        (rsa_key(), {"alg": "ES256"}, ("alg", "wrong_alg")),
        (rsa_key(), {"alg": "none"}, ("alg", "wrong_alg")),
        (rsa_key(), {"alg": "HS256"}, ("alg", "wrong_alg")),
        (rsa_key(), {"alg": "ps256"}, ("alg", "wrong_alg")),
        (rsa_key(), {"alg": ["PS256"]}, ("alg", "wrong_alg")),
        (rsa_key(), {"use": "enc"}, ("use", "wrong_use")),
        (rsa_key(), {"use": 1}, ("use", "wrong_use")),
        (rsa_key(), {"key_ops": ["sign"]}, ("key_ops", "wrong_key_ops")),
        (rsa_key(), {"key_ops": ["verify", "sign"]}, ("key_ops", "wrong_key_ops")),
        (rsa_key(), {"key_ops": "verify"}, ("key_ops", "wrong_key_ops")),
        (rsa_key(), {"kid": "x" * 257}, ("kid", "wrong_kid")),
        (rsa_key(), {"kid": "a\nb"}, ("kid", "wrong_kid")),
        (rsa_key(), {"kid": "a\0b"}, ("kid", "wrong_kid")),
        (rsa_key(), {"kid": "\ud800"}, ("kid", "wrong_kid")),
        (rsa_key(), {"kid": 7}, ("kid", "wrong_kid")),
        (rsa_key(), {"kty": None}, ("kty", "missing")),
        (rsa_key(), {"kty": "OKP"}, ("kty", "not_supported")),
        (rsa_key(), {"kty": "oct"}, ("kty", "not_supported")),
        (rsa_key(), {"kty": ["RSA"]}, ("kty", "not_supported")),
        (rsa_key(), {"n": None}, ("n", "missing")),
        (rsa_key(), {"n": 12}, ("n", "wrong_type")),
        (rsa_key(), {"n": public(rsa_key())["n"] + "=="}, ("n", "not_base64url")),
        (rsa_key(), {"n": public(rsa_key())["n"] + "\n"}, ("n", "not_base64url")),
        (rsa_key(), {"n": "+" + public(rsa_key())["n"][1:]}, ("n", "not_base64url")),
        (rsa_key(), {"n": "æ" + public(rsa_key())["n"][1:]}, ("n", "not_base64url")),
        (rsa_key(), {"n": integer(2**2047 | 1, 257)}, ("n", "leading_zero")),
        (rsa_key(), {"n": integer(2**2046 | 1, 256)}, ("n", "wrong_size")),
        (rsa_key(), {"n": integer(2**1023 | 1)}, ("n", "wrong_size")),
        (rsa_key(), {"n": integer(2**4096 | 1)}, ("n", "wrong_size")),
        (rsa_key(), {"e": "Aw"}, ("e", "wrong_exponent")),
        (rsa_key(), {"e": "AAEAAQ"}, ("e", "wrong_exponent")),
        (rsa_key(), {"e": "AQ"}, ("e", "wrong_exponent")),
        (ec_key(), {"crv": None}, ("crv", "missing")),
        (ec_key(), {"crv": "secp256k1"}, ("crv", "not_supported")),
        (ec_key(), {"crv": "P-192"}, ("crv", "not_supported")),
        (ec_key(), {"crv": {"a": 1}}, ("crv", "not_supported")),
        (ec_key(), {"x": None}, ("x", "missing")),
        (ec_key(), {"y": None}, ("y", "missing")),
        (ec_key(), {"x": integer(5)}, ("x", "wrong_length")),
        (ec_key(), {"y": integer(5, 33)}, ("y", "wrong_length")),
        (ec_key(), {"y": public(ec_key())["x"]}, ("x", "not_on_curve")),
        (ec_key(), {"x": integer(0, 32), "y": integer(0, 32)}, ("x", "not_on_curve")),
        (ec_key(), {"x": base64url(b"\xff" * 32)}, ("x", "not_on_curve")),
        (ec_key("P-521"), {"x": base64url(b"\xff" * 66)}, ("x", "not_on_curve")),
    ],
)
def test_one_thing_is_wrong(
    key: PrivateKey, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    member, code = fault
    assert faults(public(key) | change) == [(f"#/publicJwk/{member}", code)]


@pytest.mark.parametrize("member", PRIVATE_MEMBERS)
@pytest.mark.parametrize("value", ["c2VjcmV0", [1], {"r": "x"}, 1, True])
def test_a_secret_member_makes_the_key_leaked(member: str, value: object) -> None:
    refused = refusal(public(rsa_key()) | {member: value})
    assert refused.leaked
    assert (refused.errors[0].pointer, refused.errors[0].code) == (
        f"#/publicJwk/{member}",
        "private_key",
    )
    assert "considered leaked" in refused.detail


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.key_type}-{key.raw_value.key_size}")
def test_no_value_of_a_private_key_is_repeated(key: PrivateKey) -> None:
    refused = refusal(private(key) | {"alg": "HS256", "use": "enc", "kid": "\n"})
    assert refused.leaked
    told = json.dumps([error.detail + error.pointer for error in refused.errors])
    assert not [value for value in private(key).values() if len(value) > 5 and value in told]


def test_a_symmetric_key_is_leaked() -> None:
    assert refusal({"kty": "oct", "k": "c2VjcmV0"}).leaked


def test_null_and_empty_members_count_as_absent() -> None:
    empty = dict.fromkeys(["d", "p", "k"], None) | {"oth": [], "q": "", "dp": {}, "key_ops": []}
    accepted = acceptable_jwk(
        public(ec_key()) | empty | {"alg": None, "kid": "", "use": ""}, pointer="#"
    )
    assert accepted.parameters == public(ec_key())
    assert accepted.kid == accepted.thumbprint


def test_what_is_not_known_is_dropped_and_what_is_known_is_kept() -> None:
    given = public(ec_key()) | {"use": "sig", "alg": "ES256", "kid": "mine"}
    more = {"key_ops": ["verify"], "x5u": "http://10.0.0.1/", "x5c": ["MII"], "jku": 1, "HasKey": 0}
    assert acceptable_jwk(given | more, pointer="#").parameters == given


def test_all_errors_come_at_once() -> None:
    wrong = {"kty": "RSA", "n": "!", "e": "Aw", "use": "enc", "key_ops": [1], "alg": "none"}
    assert faults(wrong | {"kid": 3, "d": "x"}) == [
        ("#/publicJwk/d", "private_key"),
        ("#/publicJwk/n", "not_base64url"),
        ("#/publicJwk/e", "wrong_exponent"),
        ("#/publicJwk/use", "wrong_use"),
        ("#/publicJwk/key_ops", "wrong_key_ops"),
        ("#/publicJwk/alg", "wrong_alg"),
        ("#/publicJwk/kid", "wrong_kid"),
    ]


@given(st.binary(max_size=40))
def test_octets_have_one_spelling(octets: bytes) -> None:
    assert base64url_octets(base64url(octets)) == octets


@given(st.text(max_size=12))
def test_what_is_read_is_written_the_same(text: str) -> None:
    octets = base64url_octets(text)
    assert octets is None or base64url(octets) == text


MEMBERS = ["kty", "crv", "n", "e", "x", "y", "alg", "use", "key_ops", "kid", "d", "p", "k"]
VALUES: st.SearchStrategy[object] = st.one_of(
    st.sampled_from(["RSA", "EC", "P-256", "AQAB", "sig", "ES256", "", ["verify"], None]),
    st.sampled_from([*public(rsa_key()).values(), *public(ec_key()).values()]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
)


@pytest.mark.usefixtures("heap_of_others_set_aside")
@given(st.sampled_from([{}, public(rsa_key()), public(ec_key())]), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_accepted_or_refused_and_quickly(
    jwk: dict[str, Any], data: st.DataObject
) -> None:
    changes = data.draw(st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=6))
    started = time.process_time()
    with contextlib.suppress(KeyRefused):
        key = acceptable_jwk(jwk | changes, pointer="#")
        kind = RSAKey if key.parameters["kty"] == "RSA" else ECKey
        assert kind.import_key(dict(key.parameters)).thumbprint() == key.thumbprint
    assert time.process_time() - started < 0.1
