"""Access tokens, one table row for each reason to refuse one; and what is remembered of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access.access_tokens import (
    AccessTokenRejected,
    InsufficientScope,
    TokenPolicy,
    VerifiedToken,
    VerifiedTokens,
    check_possession,
    check_scope,
)
from app.access.credentials import Credentials, Scheme, check_scheme, presented_credentials
from app.access.dpop import Proof, ProofRejected
from app.access.public_jwk import PublicKey, acceptable_jwk
from tests.access.keys import PrivateKey, ec_key, public, rsa_key
from tests.access.test_dpop import signed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
POLICY = TokenPolicy(issuer="https://sts.example", audience="nhn:selvbetjening")
JKT = ec_key().thumbprint()
ALGS = 'algs="PS256 PS384 PS512 RS256 RS384 RS512 ES256 ES384 ES512"'


class PublishedKeys:
    """What an issuer publishes; keys can be taken away."""

    def __init__(self, **keys: dict[str, Any]) -> None:
        self.keys: dict[str, PublicKey] = {
            kid: acceptable_jwk(jwk, pointer="#") for kid, jwk in keys.items()
        }
        self.asked = 0

    async def key(self, kid: str) -> PublicKey | None:
        self.asked += 1
        return self.keys.get(kid)


KEYS = PublishedKeys(
    rsa=public(rsa_key()) | {"alg": "RS256"},
    any_rsa=public(rsa_key()),
    ec=public(ec_key()) | {"alg": "ES256"},
    p384=public(ec_key("P-384")),
)


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    key: PrivateKey | None = None,
    alg: str = "RS256",
) -> str:
    said = {
        "iss": POLICY.issuer,
        "aud": POLICY.audience,
        "exp": SECONDS + 300,
        "nbf": SECONDS,
        "iat": SECONDS,
        "client_id": "the-client",
        "scope": ["nhn:selvbetjening/client"],
        "cnf": {"jkt": JKT},
    }
    full = {"typ": "at+jwt", "alg": alg, "kid": "rsa"} | (header or {})
    return signed(full, said | (claims or {}), key or rsa_key(), alg)


async def verify(text: str, *, policy: TokenPolicy = POLICY, now: datetime = NOW) -> VerifiedToken:
    return await VerifiedTokens(KEYS, policy).verified(text, now=now)


async def test_a_good_token_is_believed() -> None:
    assert await verify(token()) == VerifiedToken(
        client_id="the-client",
        scopes=frozenset({"nhn:selvbetjening/client"}),
        key_thumbprint=JKT,
        expires_at=NOW + timedelta(seconds=300),
        issuer_kid="rsa",
    )


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({}, {"typ": "JWT"}),
        ({}, {"typ": "application/AT+JWT"}),
        ({"aud": ["another", "nhn:selvbetjening"]}, {}),
        ({"scope": "a nhn:selvbetjening/client b"}, {}),
        ({"nbf": None}, {}),
        ({"nbf": SECONDS + 5}, {}),
        ({"exp": SECONDS - 4}, {}),
        ({"exp": SECONDS + 0.5}, {}),
        ({"cnf": None}, {}),
        ({"scope": None}, {}),
        ({"sub": "1", "more": {"a": []}}, {"x5t": "abc"}),
    ],
)
async def test_what_may_differ_is_accepted(claims: dict[str, Any], header: dict[str, Any]) -> None:
    assert (await verify(token(claims, header))).client_id == "the-client"


@pytest.mark.parametrize(
    ("kid", "key", "alg"), [("ec", ec_key(), "ES256"), ("any_rsa", rsa_key(), "PS256")]
)
async def test_other_algorithms_of_the_configured_list(kid: str, key: PrivateKey, alg: str) -> None:
    assert (await verify(token({}, {"kid": kid}, key=key, alg=alg))).issuer_kid == kid


@pytest.mark.parametrize(
    ("why", "claims", "header"),
    [
        ("typ", {}, {"typ": "dpop+jwt"}),
        ("typ", {}, {"typ": None}),
        ("typ", {}, {"typ": 1}),
        ("key of the token issuer", {}, {"kid": "unknown"}),
        ("key of the token issuer", {}, {"kid": None}),
        ("key of the token issuer", {}, {"kid": ["rsa"]}),
        ("key of the token issuer", {}, {"kid": "x" * 300}),
        ("issued by", {"iss": "https://sts.example/"}, {}),
        ("issued by", {"iss": None}, {}),
        ("audience", {"aud": "nhn:other"}, {}),
        ("audience", {"aud": ["nhn:other"]}, {}),
        ("audience", {"aud": {"nhn:selvbetjening": 1}}, {}),
        ("audience", {"aud": None}, {}),
        ("expired", {"exp": SECONDS - 5}, {}),
        ("exp", {"exp": None}, {}),
        ("exp", {"exp": str(SECONDS + 300)}, {}),
        ("exp", {"exp": True}, {}),
        ("exp", {"exp": 10**40}, {}),
        ("exp", {"exp": float("nan")}, {}),
        ("not valid yet", {"nbf": SECONDS + 6}, {}),
        ("not valid yet", {"nbf": "soon"}, {}),
        ("client_id", {"client_id": None}, {}),
        ("client_id", {"client_id": ""}, {}),
        ("client_id", {"client_id": "a\0"}, {}),
        ("scope", {"scope": [1]}, {}),
        ("scope", {"scope": {"a": 1}}, {}),
        ("cnf", {"cnf": {}}, {}),
        ("cnf", {"cnf": "x"}, {}),
        ("cnf", {"cnf": {"x5t#S256": "x"}}, {}),
        ("cnf", {"cnf": {"jkt": 1}}, {}),
        ("cannot be read", {}, {"crit": ["x"]}),
        ("cannot be read", {"filler": "x" * 8192}, {}),
    ],
)
async def test_one_thing_is_wrong(why: str, claims: dict[str, Any], header: dict[str, Any]) -> None:
    text = token(claims, header)
    with pytest.raises(AccessTokenRejected, match=why) as refused:
        await verify(text)
    assert refused.value.headers == {"WWW-Authenticate": f'DPoP error="invalid_token", {ALGS}'}


@pytest.mark.parametrize(
    ("kid", "key", "alg"),
    [
        ("rsa", rsa_key(), "PS256"),  # the key is for RS256
        ("any_rsa", rsa_key(), "RS512"),  # not configured
        ("p384", ec_key("P-384"), "ES384"),  # not configured
    ],
)
async def test_the_algorithm_is_the_keys_and_configured(
    kid: str, key: PrivateKey, alg: str
) -> None:
    with pytest.raises(AccessTokenRejected, match="algorithm"):
        await verify(token({}, {"kid": kid}, key=key, alg=alg))


async def test_a_signature_by_another_key_is_refused() -> None:
    with pytest.raises(AccessTokenRejected, match="signature"):
        await verify(token({}, {"kid": "any_rsa"}, key=rsa_key(4096)))
    with pytest.raises(AccessTokenRejected, match="algorithm"):
        await verify(token({}, {"kid": "rsa", "alg": "none"}))


async def test_a_refusal_never_repeats_the_token() -> None:
    text = token({"aud": "x"})
    with pytest.raises(AccessTokenRejected) as refused:
        await verify(text)
    assert not [part for part in text.split(".") if part in refused.value.detail]


async def test_bearer_is_offered_where_it_is_allowed() -> None:
    policy = TokenPolicy(issuer="i", audience="a", allow_bearer=True)
    with pytest.raises(AccessTokenRejected) as refused:
        await verify("x", policy=policy)
    assert refused.value.headers["WWW-Authenticate"] == (
        f'DPoP error="invalid_token", {ALGS}, Bearer error="invalid_token"'
    )


class TestRemembered:
    async def test_a_token_is_verified_once(self) -> None:
        keys = PublishedKeys(rsa=public(rsa_key()))
        tokens = VerifiedTokens(keys, POLICY)
        first = await tokens.verified(token(), now=NOW)
        assert await tokens.verified(token(), now=NOW) is first

    async def test_never_past_its_end(self) -> None:
        tokens = VerifiedTokens(KEYS, POLICY)
        text = token()
        await tokens.verified(text, now=NOW)
        await tokens.verified(text, now=NOW + timedelta(seconds=304))
        with pytest.raises(AccessTokenRejected, match="expired"):
            await tokens.verified(text, now=NOW + timedelta(seconds=305))

    async def test_not_longer_than_the_issuers_key(self) -> None:
        keys = PublishedKeys(rsa=public(rsa_key()))
        tokens = VerifiedTokens(keys, POLICY)
        text = token()
        await tokens.verified(text, now=NOW)
        keys.keys["rsa"] = acceptable_jwk(public(rsa_key(4096)), pointer="#")
        with pytest.raises(AccessTokenRejected, match="signature"):
            await tokens.verified(text, now=NOW)
        del keys.keys["rsa"]
        with pytest.raises(AccessTokenRejected, match="issuer"):
            await tokens.verified(text, now=NOW)

    async def test_refused_tokens_are_not_remembered(self) -> None:
        tokens = VerifiedTokens(KEYS, POLICY)
        for _ in range(2):
            with pytest.raises(AccessTokenRejected):
                await tokens.verified(token({"aud": "x"}), now=NOW)
        assert not tokens._remembered  # nothing else shows it

    async def test_no_more_than_so_many(self) -> None:
        tokens = VerifiedTokens(KEYS, POLICY, most=2)
        texts = [token({"jti": str(number)}) for number in range(3)]
        first = await tokens.verified(texts[0], now=NOW)
        await tokens.verified(texts[1], now=NOW)
        third = await tokens.verified(texts[2], now=NOW)
        assert await tokens.verified(texts[2], now=NOW) is third
        assert await tokens.verified(texts[0], now=NOW) is not first

    @pytest.mark.parametrize("text", ["", "x" * 20_000, "\ud800", "æ"])
    async def test_any_text_can_be_asked_about(self, text: str) -> None:
        with pytest.raises(AccessTokenRejected):
            await VerifiedTokens(KEYS, POLICY).verified(text, now=NOW)


async def test_a_missing_scope_is_named() -> None:
    verified = await verify(token())
    check_scope(verified, "nhn:selvbetjening/client")
    with pytest.raises(InsufficientScope) as refused:
        check_scope(verified, "nhn:other/write")
    assert refused.value.status == 403
    assert refused.value.headers == {
        "WWW-Authenticate": 'DPoP error="insufficient_scope", scope="nhn:other/write"'
    }


async def test_the_proof_must_be_by_the_key_that_the_token_is_bound_to() -> None:
    verified = await verify(token())
    check_possession(verified, Proof(JKT, "jti", NOW))
    with pytest.raises(AccessTokenRejected, match="another key"):
        check_possession(verified, Proof(rsa_key().thumbprint(), "jti", NOW))
    unbound = await verify(token({"cnf": None}))
    with pytest.raises(AccessTokenRejected):
        check_possession(unbound, Proof(JKT, "jti", NOW))


@pytest.mark.parametrize("authorization", [b"DPoP t", b"dpop t", b"DPOP  t "])
def test_a_token_and_a_proof_are_found(authorization: bytes) -> None:
    headers = [(b"host", b"x"), (b"authorization", authorization), (b"dpop", b" p ")]
    found = presented_credentials(headers, allow_bearer=False)
    assert found == Credentials(Scheme.DPOP, "t", "p")


def test_bearer_is_read_where_it_is_allowed() -> None:
    headers = [(b"authorization", b"bearer t"), (b"dpop", b"p")]
    assert presented_credentials(headers, allow_bearer=True) == Credentials(
        Scheme.BEARER, "t", None
    )
    with pytest.raises(AccessTokenRejected, match="Bearer"):
        presented_credentials(headers, allow_bearer=False)


@pytest.mark.parametrize("authorization", [None, b"", b"Basic dTpw", b"DPoP", b"DPoP ", b"\xff"])
def test_no_credentials_bring_a_challenge_without_an_error(authorization: bytes | None) -> None:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    with pytest.raises(AccessTokenRejected) as refused:
        presented_credentials(headers, allow_bearer=False)
    assert refused.value.headers == {"WWW-Authenticate": f"DPoP {ALGS}"}
    with pytest.raises(AccessTokenRejected) as refused:
        presented_credentials(headers, allow_bearer=True)
    assert refused.value.headers == {"WWW-Authenticate": f"DPoP {ALGS}, Bearer"}


def test_two_authorizations_are_refused() -> None:
    with pytest.raises(AccessTokenRejected, match="exactly one"):
        presented_credentials([(b"authorization", b"DPoP t")] * 2, allow_bearer=True)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_exactly_one_proof_is_sent(count: int) -> None:
    headers = [(b"authorization", b"DPoP t")] + [(b"dpop", b"p")] * count
    with pytest.raises(ProofRejected, match=f"there were {count}"):
        presented_credentials(headers, allow_bearer=True)


@pytest.mark.parametrize(
    ("scheme", "bound", "fits"),
    [
        (Scheme.DPOP, True, True),
        (Scheme.DPOP, False, False),
        (Scheme.BEARER, True, False),
        (Scheme.BEARER, False, True),
    ],
)
async def test_the_scheme_fits_the_token(scheme: Scheme, bound: bool, fits: bool) -> None:
    verified = await verify(token({} if bound else {"cnf": None}))
    credentials = Credentials(scheme, "t", None)
    if fits:
        check_scheme(verified, credentials, allow_bearer=True)
    else:
        with pytest.raises(AccessTokenRejected):
            check_scheme(verified, credentials, allow_bearer=True)
