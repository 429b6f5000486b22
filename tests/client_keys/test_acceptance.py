"""Which keys may be registered."""

import json
import random
import time
from functools import cache
from math import gcd, prod
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from app.access.public_jwk import KeyRefused
from app.client_keys.acceptance import registrable_key
from app.client_keys.moduli import (
    has_close_factors,
    has_roca_fingerprint,
    is_private_exponent,
    weakness,
)
from app.client_keys.published_keys import PUBLISHED_KEYS
from tests.access.keys import PrivateKey, ec_key, private, public, rsa_key
from tests.access.test_public_jwk import integer

ALL_KEYS: list[PrivateKey] = [
    rsa_key(2048),
    rsa_key(4096),
    ec_key("P-256"),
    ec_key("P-384"),
    ec_key("P-521"),
]


def refusal(value: object, *, refuse_rs: bool = False) -> KeyRefused:
    with pytest.raises(KeyRefused) as refused:
        registrable_key(value, pointer="#/publicJwk", refuse_rs=refuse_rs)
    return refused.value


def faults(value: object, *, refuse_rs: bool = False) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in refusal(value, refuse_rs=refuse_rs).errors]


def is_prime(number: int) -> bool:
    return all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7))


def next_prime(number: int) -> int:
    number |= 1
    while not is_prime(number):
        number += 2
    return number


@cache
def close_modulus() -> int:
    """Two neighbours among the primes of 1024 bits."""
    p = next_prime(random.Random(1).getrandbits(1024) | 3 << 1022)
    return p * next_prime(p + 2)


@cache
def roca_modulus() -> int:
    """p = k·M + (65537^a mod M), as the flawed chips made them; M is that of 1024-bit primes."""
    chance = random.Random(2)
    primes = [n for n in range(2, 702) if all(n % d for d in range(2, n))]
    m = prod(primes)

    def flawed_prime() -> int:
        while True:
            start = pow(65537, chance.getrandbits(200), m)
            p = ((3 << 1022) // m + chance.getrandbits(50)) * m + start
            if is_prime(p):
                return p

    return flawed_prime() * flawed_prime()


def jwk_of(modulus: int) -> dict[str, Any]:
    return {"kty": "RSA", "n": integer(modulus), "e": "AQAB"}


@pytest.mark.parametrize(
    "key", ALL_KEYS, ids=lambda key: f"{key.key_type}-{key.raw_value.key_size}"
)
@pytest.mark.parametrize(
    "written",
    [
        lambda jwk: jwk,
        json.dumps,
        lambda jwk: json.dumps(jwk, indent=4) + "\r\n\r\n",
        lambda jwk: "\ufeff" + json.dumps(jwk),
        lambda jwk: "\n\t " + json.dumps(jwk),
    ],
)
def test_both_forms_are_read(key: PrivateKey, written: Any) -> None:
    accepted = registrable_key(written(public(key)), pointer="#", refuse_rs=True)
    assert accepted.thumbprint == key.thumbprint()


@pytest.mark.parametrize("form", [lambda jwk: jwk, json.dumps])
def test_the_pointers_of_both_forms_are_the_same(form: Any) -> None:
    wrong = public(ec_key()) | {"use": "enc", "alg": "ES512"}
    assert faults(form(wrong)) == [
        ("#/publicJwk/use", "wrong_use"),
        ("#/publicJwk/alg", "wrong_alg"),
    ]


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_rs_algorithms_are_refused_where_the_setting_says_so(alg: str) -> None:
    jwk = public(rsa_key()) | {"alg": alg}
    assert registrable_key(jwk, pointer="#", refuse_rs=False).warnings
    assert faults(jwk, refuse_rs=True) == [("#/publicJwk/alg", "wrong_alg")]
    assert faults(jwk | {"use": "enc"}, refuse_rs=True) == [
        ("#/publicJwk/use", "wrong_use"),
        ("#/publicJwk/alg", "wrong_alg"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        *("", "{", "null", "[]", '"x"', "12", "NaN", '{"kty":"RSA","kty":"EC"}', "[" * 5000),
        *("\ud800", None, 5, True, [], 1.5, {"keys": []}, {"keys": [public(ec_key())]}),
    ],
)
def test_what_is_no_jwk(value: object) -> None:
    assert faults(value) == [("#/publicJwk", "not_a_jwk")]
    assert not refusal(value).leaked


@pytest.mark.parametrize(
    "value",
    [
        json.dumps(private(ec_key()))[:-1],
        json.dumps(private(rsa_key())) + "}",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        {"keys": [public(ec_key()), private(ec_key())]},
        json.dumps({"keys": [private(rsa_key())]}),
    ],
)
def test_a_secret_is_noticed_even_where_there_is_no_jwk(value: object) -> None:
    refused = refusal(value)
    assert refused.leaked
    assert [error.code for error in refused.errors] == ["private_key", "not_a_jwk"]


@pytest.mark.parametrize(
    "key", ALL_KEYS, ids=lambda key: f"{key.key_type}-{key.raw_value.key_size}"
)
@pytest.mark.parametrize("form", [lambda jwk: jwk, json.dumps])
def test_a_private_key_is_refused_and_told_apart(key: PrivateKey, form: Any) -> None:
    refused = refusal(form(private(key)))
    assert (refused.leaked, refused.leaked_thumbprint) == (True, key.thumbprint())
    told = " ".join(error.detail for error in refused.errors)
    assert not [value for value in private(key).values() if len(value) > 5 and value in told]


@pytest.mark.parametrize("bits", [2048, 4096])
def test_the_private_exponent_alone_is_enough_to_tell(bits: int) -> None:
    jwk = public(rsa_key(bits)) | {"d": private(rsa_key(bits))["d"]}
    assert refusal(jwk).leaked_thumbprint == rsa_key(bits).thumbprint()


def test_both_usual_private_exponents_are_recognized() -> None:
    numbers = generate_private_key(65537, 2048).private_numbers()
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    phi = (p - 1) * (q - 1)
    for modulus in (phi, phi // gcd(p - 1, q - 1)):
        d = pow(65537, -1, modulus)
        assert is_private_exponent(d, n)
        assert not is_private_exponent(d + 2, n)


@pytest.mark.parametrize(
    "jwk",
    [
        public(ec_key()) | {"d": integer(12345, 32)},
        public(ec_key()) | {"d": integer(2**255, 60)},
        public(ec_key()) | {"d": "!"},
        public(ec_key()) | {"d": [1]},
        public(ec_key()) | {"k": "c2VjcmV0"},
        public(rsa_key()) | {"d": integer(12345)},
        public(rsa_key()) | {"p": integer(3)},
        public(rsa_key()) | {"p": "AQ"},
        public(rsa_key()) | {"p": public(rsa_key())["n"]},
        public(rsa_key()) | {"d": "AA"},
        {"kty": "RSA", "d": "AA"},
    ],
)
def test_nobody_can_have_the_key_of_another_declared_leaked(jwk: dict[str, Any]) -> None:
    refused = refusal(jwk)
    assert (refused.leaked, refused.leaked_thumbprint) == (True, None)


@pytest.mark.parametrize(
    "jwk",
    [
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        {
            "kty": "EC",
            "crv": "P-521",
            "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYg"
            "CF5cj0Kt",
            "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGf"
            "P-HqHZR1",
        },
    ],
)
def test_keys_whose_private_part_is_printed_are_refused(jwk: dict[str, Any]) -> None:
    assert faults(jwk) == [("#/publicJwk", "published_key")]
    assert "RFC 75" in refusal(jwk).detail


def test_published_keys_are_named_by_thumbprints() -> None:
    assert all(len(thumbprint) == 43 for thumbprint in PUBLISHED_KEYS)


def test_close_factors_are_found() -> None:
    assert has_close_factors(close_modulus())
    assert faults(jwk_of(close_modulus())) == [("#/publicJwk/n", "weak_key")]


@pytest.mark.parametrize("p", [65537, 1_000_003, 2**31 - 1])
def test_a_square_and_twins_are_close(p: int) -> None:
    assert has_close_factors(p * p)
    assert has_close_factors(p * (p + 2))


def test_distant_factors_are_not_searched_for() -> None:
    assert not has_close_factors((2**127 - 1) * (2**61 - 1))


def test_the_roca_fingerprint_is_found() -> None:
    assert has_roca_fingerprint(roca_modulus())
    assert "ROCA" in refusal(jwk_of(roca_modulus())).detail


@pytest.mark.parametrize("factor", [2, 3, 5, 251, 743, 751])
def test_a_small_factor_is_found(factor: int) -> None:
    assert "small factor" in (weakness(factor * (2**2203 - 1)) or "")


def test_the_next_prime_is_not_small() -> None:
    assert weakness(757 * (2**2203 - 1)) is None


@pytest.mark.usefixtures("heap_of_others_set_aside")
@pytest.mark.parametrize("bits", [2048, 4096])
def test_good_moduli_are_not_weak_and_take_no_time(bits: int) -> None:
    modulus = rsa_key(bits).public_key.public_numbers().n
    started = time.process_time()
    for _ in range(20):
        assert weakness(modulus) is None
    assert (time.process_time() - started) / 20 < 0.005


@given(st.text(max_size=60) | st.binary(max_size=40) | st.integers() | st.none())
@settings(deadline=None)
def test_anything_is_accepted_or_refused(value: object) -> None:
    with pytest.raises(KeyRefused):
        registrable_key(value, pointer="#", refuse_rs=False)


@pytest.mark.usefixtures("heap_of_others_set_aside")
@given(st.integers(0, 2**2200), st.integers(3, 2**2100))
@settings(deadline=None, max_examples=50)
def test_any_private_exponent_is_judged_quickly(d: int, half: int) -> None:
    started = time.process_time()
    is_private_exponent(d + 2, 2 * half + 1)
    assert time.process_time() - started < 0.05
