"""ID tokens, one row for each reason to refuse one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.access.id_tokens import SECURITY_LEVEL, Expected, verified_identity
from app.access.login_issuer import Identity, LoginRefused
from tests.access.keys import PrivateKey, ec_key, public, rsa_key
from tests.access.test_access_tokens import PublishedKeys
from tests.access.test_dpop import signed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
EXPECTED = Expected(issuer="https://sts.example", client_id="the-service", nonce="the-nonce")
KEYS = PublishedKeys(
    rsa=public(rsa_key()) | {"alg": "RS256"},
    ec=public(ec_key()) | {"alg": "ES256"},
)
GONE = object()
CLAIMS: dict[str, Any] = {
    "iss": "https://sts.example",
    "aud": "the-service",
    "sub": "kari",
    "name": "Kari Nordmann",
    "nonce": "the-nonce",
    "iat": SECONDS,
    "exp": SECONDS + 300,
    "auth_time": SECONDS - 20,
    SECURITY_LEVEL: "4",
}


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    key: PrivateKey | None = None,
    alg: str = "RS256",
) -> str:
    said = {k: v for k, v in (CLAIMS | (claims or {})).items() if v is not GONE}
    return signed(
        {"alg": alg, "kid": "rsa", "typ": "JWT"} | (header or {}), said, key or rsa_key(), alg
    )


async def judged(text: str) -> Identity:
    return await verified_identity(text, keys=KEYS, expected=EXPECTED, now=NOW)


async def test_the_issuers_word_for_this_attempt_is_believed() -> None:
    identity = await judged(token())
    assert identity.subject == "kari"
    assert identity.name == "Kari Nordmann"
    assert identity.security_level == 4
    assert identity.auth_time == datetime(2026, 11, 22, 11, 59, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["the-service"]},
        {"azp": "the-service"},
        {"exp": SECONDS - 4},
        {"iat": SECONDS + 5},
        {"name": GONE},
    ],
)
async def test_what_differs_harmlessly_is_believed(claims: dict[str, Any]) -> None:
    await judged(token(claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": GONE},
        {"iss": "https://sts.example/"},
        {"iss": "https://evil.example"},
        {"aud": GONE},
        {"aud": "another"},
        {"aud": []},
        {"aud": ["the-service", "another"]},
        {"azp": "another"},
        {"nonce": GONE},
        {"nonce": "another"},
        {"nonce": ["the-nonce"]},
        {"exp": GONE},
        {"exp": SECONDS - 5},
        {"exp": "soon"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": GONE},
        {"iat": SECONDS + 6},
        {"iat": SECONDS - 601},
        {"auth_time": GONE},
        {"auth_time": "now"},
        {"auth_time": -1},
        {"sub": GONE},
        {"sub": ""},
        {"sub": 7},
        {"sub": "kari\0"},
        {"sub": "\ud800"},
    ],
)
async def test_a_token_that_says_something_else_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused):
        await judged(token(claims))


async def test_of_a_name_only_what_can_be_shown_and_kept_is_taken() -> None:
    assert (await judged(token({"name": "Kari\0 Nord\ud800mann\n"}))).name == "Kari Nordmann"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "x" * 9000,
        token(key=rsa_key(3072)),
        token(header={"kid": "unknown"}),
        token(header={"kid": 7}),
        token(header={"kid": "ec"}),
        token(alg="PS256"),
        token(alg="RS384"),
        token(key=ec_key(), alg="ES256"),
        token(header={"crit": ["x"], "x": 1}),
        token().rpartition(".")[0] + ".",
        token()[:-8] + "AAAAAAAA",
    ],
)
async def test_a_token_that_the_issuer_did_not_sign_is_refused(text: str) -> None:
    with pytest.raises(LoginRefused):
        await judged(text)


async def test_an_elliptic_key_of_the_issuers_is_as_good() -> None:
    await judged(token(header={"kid": "ec"}, key=ec_key(), alg="ES256"))


@pytest.mark.parametrize(
    ("said", "level"),
    [("4", 4), ("3", 3), (4, 4), (GONE, 0), ("Level4", 0), ("40", 0), (["4"], 0), (True, 0)],
)
async def test_only_a_plain_3_or_4_is_a_security_level(said: object, level: int) -> None:
    assert (await judged(token({SECURITY_LEVEL: said}))).security_level == level


async def test_a_refusal_repeats_nothing_of_the_token() -> None:
    with pytest.raises(LoginRefused) as refused:
        await judged(token({"nonce": "somebody-elses"}))
    assert "somebody" not in str(refused.value)
    assert "Kari" not in str(refused.value)
