"""Keys that must not be registered (1 of the security rules): why, where, and nothing stored."""

import base64
import json
import random
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installers.keys import ec_key, rsa_key
from tests.installers.listener import LoopbackListener
from tests.installers.plain import EPJ, PlainInstaller
from tests.journeys.refusals import found_errors, problem_of
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
EC = ec_key("P-256").members
RSA = rsa_key(2048, "PS256").members
ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
SMALL_PRIMES = [n for n in range(2, 752) if all(n % d for d in range(2, n))]
RFC_7515_A_3 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def octets(number: int, size: int | None = None) -> str:
    raw = number.to_bytes(size or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def modulus(bits: int, *, step: int = 2) -> int:
    """A number of that many bits without small factors, that is 1 modulo `step`."""
    chance = random.Random(bits + step)
    while True:
        n = (chance.getrandbits(bits) | 1 << (bits - 1)) // step * step + 1
        if n.bit_length() == bits and all(n % p for p in SMALL_PRIMES):
            return n


def close_factors() -> int:
    a = modulus(1024) + 1
    while not all((a * a - 1) % p for p in SMALL_PRIMES):
        a += 2
    return a * a - 1


def noncanonical(text: str) -> str:
    """The same octets with a bit set behind the last."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


BAD: list[tuple[str, Any, str, str]] = [
    ("a symmetric key", {"kty": "oct", "k": "c2VjcmV0"}, "/k", "private_key"),
    ("another kind", {"kty": "OKP", "crv": "Ed25519", "x": EC["x"]}, "/kty", "not_supported"),
    ("no kind", {**EC, "kty": None}, "/kty", "missing"),
    ("a kind that is no text", {**EC, "kty": 7}, "/kty", "not_supported"),
    ("1024 bits", {**RSA, "n": octets(modulus(1024))}, "/n", "wrong_size"),
    ("2047 bits", {**RSA, "n": octets(modulus(2047))}, "/n", "wrong_size"),
    ("4097 bits", {**RSA, "n": octets(modulus(4097))}, "/n", "wrong_size"),
    ("exponent 3", {**RSA, "e": "Aw"}, "/e", "wrong_exponent"),
    ("a longer 65537", {**RSA, "e": "AAEAAQ"}, "/e", "wrong_exponent"),
    ("no modulus", {**RSA, "n": None}, "/n", "missing"),
    ("a leading zero", {**RSA, "n": octets(modulus(2048), 257)}, "/n", "leading_zero"),
    ("a modulus in padding", {**RSA, "n": RSA["n"] + "=="}, "/n", "not_base64url"),
    ("an even modulus", {**RSA, "n": octets(modulus(2048) + 1)}, "/n", "weak_key"),
    ("a small factor", {**RSA, "n": octets(modulus(2039) * 751 | 1)}, "/n", "weak_key"),
    ("ROCA", {**RSA, "n": octets(modulus(2048, step=prod(ROCA_PRIMES)))}, "/n", "weak_key"),
    ("close factors", {**RSA, "n": octets(close_factors())}, "/n", "weak_key"),
    ("an unknown curve", {**EC, "crv": "secp256k1"}, "/crv", "not_supported"),
    ("no curve", {**EC, "crv": None}, "/crv", "missing"),
    ("a point beside the curve", {**EC, "y": EC["x"]}, "/x", "not_on_curve"),
    ("infinity", {**EC, "x": octets(0, 32), "y": octets(0, 32)}, "/x", "not_on_curve"),
    ("no y", {**EC, "y": None}, "/y", "missing"),
    ("a short x", {**EC, "x": octets(1, 31)}, "/x", "wrong_length"),
    ("a long x", {**EC, "x": octets(1, 33)}, "/x", "wrong_length"),
    ("x as a number", {**EC, "x": 5}, "/x", "wrong_type"),
    ("x in padding", {**EC, "x": EC["x"] + "="}, "/x", "not_base64url"),
    ("x in base64", {**EC, "x": "+/" + EC["x"][2:]}, "/x", "not_base64url"),
    ("x not canonical", {**EC, "x": noncanonical(EC["x"])}, "/x", "not_base64url"),
    ("alg none", {**EC, "alg": "none"}, "/alg", "wrong_alg"),
    ("alg HS256", {**EC, "alg": "HS256"}, "/alg", "wrong_alg"),
    ("an unknown alg", {**RSA, "alg": "PS128"}, "/alg", "wrong_alg"),
    ("an alg of another kind", {**RSA, "alg": "ES256"}, "/alg", "wrong_alg"),
    ("an alg of another curve", {**EC, "alg": "ES384"}, "/alg", "wrong_alg"),
    ("an alg that is no text", {**EC, "alg": ["ES256"]}, "/alg", "wrong_alg"),
    ("for encryption", {**EC, "use": "enc"}, "/use", "wrong_use"),
    ("for signing", {**EC, "key_ops": ["sign"]}, "/key_ops", "wrong_key_ops"),
    ("for two things", {**EC, "key_ops": ["verify", "sign"]}, "/key_ops", "wrong_key_ops"),
    ("an endless kid", {**EC, "kid": "k" * 257}, "/kid", "wrong_kid"),
    ("a kid over two lines", {**EC, "kid": "a\nb"}, "/kid", "wrong_kid"),
    ("a kid that is no text", {**EC, "kid": 7}, "/kid", "wrong_kid"),
    ("a published key", RFC_7515_A_3, "", "published_key"),
    ("a list", [EC], "", "not_a_jwk"),
    ("a number", 7, "", "not_a_jwk"),
    ("no JSON", "{", "", "not_a_jwk"),
    ("a string in a string", json.dumps(json.dumps(EC)), "", "not_a_jwk"),
    ("a member twice", '{"kty":"EC","kty":"RSA"}', "", "not_a_jwk"),
    ("a set of keys", {"keys": [EC]}, "", "not_a_jwk"),
    ("a private key in PEM", "-----BEGIN PRIVATE KEY-----\nMIIE", "", "private_key"),
    *(
        (
            f"with {name}",
            {**RSA, name: [{}] if name == "oth" else "c2VjcmV0"},
            f"/{name}",
            "private_key",
        )
        for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
    ),
]


@pytest.fixture(scope="module")
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up()


@pytest.fixture
def nothing_stored(stored: Stored, client: PlainInstaller) -> Iterator[None]:
    before = stored.everything()
    yield
    assert stored.everything() == before


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(("jwk", "pointer", "code"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_bad_keys_are_refused_everywhere(
    client: PlainInstaller, jwk: Any, pointer: str, code: str
) -> None:
    """In a draft and as a new key, as an object and as text: the same words, the same place."""
    forms = [jwk] if isinstance(jwk, str) else [jwk, json.dumps(jwk)]
    told = []
    for form in forms:
        for answer, root in (
            (client.post_key(form), "#"),
            (PlainInstaller(client.service, client.http).draft(publicJwk=form), "#/publicJwk"),
        ):
            problem = problem_of(answer, 400)
            assert problem["property"] == "publicJwk"
            assert found_errors(problem)[0] == (root + pointer, code)
            told.append(problem["message"])
    assert len(set(told)) == 1


def test_a_private_key_is_said_to_be_leaked_and_kept_nowhere(
    client: PlainInstaller, stored: Stored, sandbox_log: Path
) -> None:
    key = ec_key()
    private = key.private()
    for answer in (
        client.post_key(private),
        client.post_key(json.dumps(private, indent=2)),
        client.post_key({"keys": [private]}),
        PlainInstaller(client.service, client.http, key).draft(publicJwk=private),
        client.post_key(json.dumps(private)[:-1] + ",}"),
    ):
        problem = problem_of(answer, 400)
        assert "must now be considered leaked" in problem["detail"]
        assert private["d"] not in answer.text
    assert private["d"] not in sandbox_log.read_text(encoding="utf-8")
    for table in ("client_drafts", "client_keys", "audit_events", "publications"):
        found = f"SELECT count(*) FROM {table} AS t WHERE strpos(t::text, $1) > 0"
        assert stored.value(found, private["d"]) == 0


def test_a_live_keys_private_part_marks_it_as_leaked(
    client: PlainInstaller, stored: Stored
) -> None:
    key = ec_key()
    assert client.post_key(key.members).status_code == 200
    problem_of(client.post_key(key.private()), 400)
    [event] = stored.rows(
        "SELECT subject, details::text FROM audit_events AS t"
        " WHERE happened = 'clientKey.leaked' AND strpos(t::text, $1) > 0",
        key.thumbprint,
    )
    assert event


def test_all_that_is_wrong_with_a_key_is_told_at_once(client: PlainInstaller) -> None:
    bad = {**EC, "use": "enc", "alg": "none", "kid": 7, "key_ops": ["sign"], "x": "="}
    pointers = {pointer for pointer, _ in found_errors(problem_of(client.post_key(bad), 400))}
    assert pointers == {"#/use", "#/alg", "#/kid", "#/key_ops", "#/x"}


def test_a_kid_is_unique_within_the_client(client: PlainInstaller, stored: Stored) -> None:
    before = stored.everything()
    answer = client.post_key({**ec_key().members, "kid": client.key.members["kid"]})
    assert found_errors(problem_of(answer, 400, "kid-taken")) == [("#/kid", "kid_taken")]
    assert stored.everything() == before


def test_a_key_of_another_client_is_refused(
    sandbox: Ready, http: httpx2.Client, client: PlainInstaller, stored: Stored
) -> None:
    other = PlainInstaller(sandbox, http).set_up()
    before = stored.everything()
    for answer in (
        client.post_key(other.key.members),
        PlainInstaller(sandbox, http, other.key, api_key=EPJ).draft(),
    ):
        problem_of(answer, 409, "key-taken")
        assert other.client_id not in answer.text
    assert stored.everything() == before


def test_a_retired_key_does_not_come_back(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    key = ec_key()
    assert client.post_key(key.members).status_code == 200
    path = f"client-secret/{key.thumbprint}?graceSeconds=0"
    assert client.call("DELETE", path).status_code == 204
    problem_of(client.post_key(key.members), 409, "key-taken")
    assert [entry["kid"] for entry in client.live_keys()] == [client.key.thumbprint]


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", None])
def test_rs_algorithms_come_with_a_warning(
    sandbox: Ready, http: httpx2.Client, alg: str | None
) -> None:
    answer = PlainInstaller(sandbox, http).set_up().post_key(rsa_key(2048, alg).members)
    assert answer.status_code == 200
    expected = alg is not None and alg.startswith("RS")
    assert bool(answer.json().get("warnings")) == expected


def test_addresses_in_a_key_are_not_fetched_and_unknown_members_not_kept(
    sandbox: Ready, http: httpx2.Client, listener: LoopbackListener, stored: Stored
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    key = ec_key()
    more = {"x5u": listener.address, "jku": listener.address, "x5c": ["AA"], "ext": {"a": 1}}
    assert client.post_key({**key.members, **more}).status_code == 200
    row = stored.value("SELECT t::text FROM client_keys AS t WHERE thumbprint = $1", key.thumbprint)
    assert key.members["x"] in row
    assert not any(name in row for name in more)
    assert listener.came.empty()
