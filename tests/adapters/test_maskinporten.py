"""Tokens for Altinn: kept, renewed in time, by one refresh for all, and never stuck."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters import maskinporten
from app.adapters.http import CircuitBreaker, Neighbour, NoAnswer
from app.adapters.maskinporten import AltinnTokens, MaskinportenKey
from tests.raw_server import Asked, RawServer, answer, raw_server

KEY = ECKey.generate_key("P-256", {"kid": "ours"})
SCOPE = "altinn:authorization/authorize"
ISSUED = {"access_token": "from-maskinporten", "expires_in": 120, "token_type": "Bearer"}


def token_that_ends(at: float, name: str = "t") -> str:
    claims = base64.urlsafe_b64encode(msgspec.json.encode({"exp": at, "n": name}))
    return f"e30.{claims.rstrip(b'=').decode()}.s"


class Both:
    """Maskinporten and Altinn's exchange in one; says what it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.life = 1800.0
        self.issued = answer(200, ISSUED)
        self.exchanged: bytes | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.calls = 0

    async def __call__(self, asked: Asked) -> bytes:
        await self.may_go_on.wait()
        if asked.path == "/token":
            self.calls += 1
            return self.issued
        text = token_that_ends(self.now + self.life, str(self.calls))
        return self.exchanged or answer(200, text.encode(), media_type="text/plain")


@asynccontextmanager
async def tokens(both: Both) -> AsyncIterator[tuple[AltinnTokens, RawServer]]:
    breaker = CircuitBreaker(after=1000)
    async with (
        raw_server(both) as server,
        Neighbour(server.url, contact="x", within=5, breaker=breaker) as neighbour,
    ):
        key = MaskinportenKey(msgspec.json.encode(KEY.as_dict(private=True)).decode())
        yield (
            AltinnTokens(
                neighbour, neighbour, client_id="our-client", key=key, clock=lambda: both.now
            ),
            server,
        )


async def test_the_assertion_is_as_maskinporten_demands() -> None:
    both = Both()
    async with tokens(both) as (held, server):
        await held.token(SCOPE)
        [asked, exchanged] = server.asked
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    token = jwt.decode(form["assertion"][0], KEY, algorithms=["ES256"])
    assert token.header["kid"] == "ours"
    assert token.claims["iss"] == "our-client"
    assert token.claims["aud"] == f"{server.url}/"
    assert token.claims["scope"] == SCOPE
    assert token.claims["exp"] - token.claims["iat"] <= 120
    assert len(token.claims["jti"]) >= 20
    assert exchanged.path == "/authentication/api/v1/exchange/maskinporten"
    assert exchanged.headers["authorization"] == "Bearer from-maskinporten"


async def test_a_token_is_kept_until_a_minute_before_its_end() -> None:
    both = Both()
    async with tokens(both) as (held, _):
        first = await held.token(SCOPE)
        both.now += both.life - 61
        assert await held.token(SCOPE) == first
        both.now += 1
        assert await held.token(SCOPE) != first
        assert both.calls == 2
        await held.token("altinn:another/scope")
        assert both.calls == 3


async def test_many_who_want_one_cause_one_refresh() -> None:
    both = Both()
    async with tokens(both) as (held, _):
        found = await asyncio.gather(*(held.token(SCOPE) for _ in range(20)))
    assert (len(set(found)), both.calls) == (1, 1)


async def test_who_gives_up_does_not_take_the_refresh_from_the_others() -> None:
    both = Both()
    both.may_go_on.clear()
    async with tokens(both) as (held, _):
        hasty = asyncio.create_task(held.token(SCOPE))
        patient = asyncio.create_task(held.token(SCOPE))
        await asyncio.sleep(0.05)
        hasty.cancel()
        both.may_go_on.set()
        assert await patient
    assert both.calls == 1


async def test_a_stuck_refresh_does_not_block_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskinporten, "REFRESH_WITHIN", 0.1)
    both = Both()
    both.may_go_on.clear()
    async with tokens(both) as (held, _):
        with pytest.raises(NoAnswer, match="no token within"):
            await held.token(SCOPE)
        both.may_go_on.set()
        assert await held.token(SCOPE)


async def test_a_token_that_altinn_refuses_is_not_used_again() -> None:
    both = Both()
    async with tokens(both) as (held, _):
        first = await held.token(SCOPE)
        held.forget(SCOPE, "an older one")
        assert await held.token(SCOPE) == first
        held.forget(SCOPE, first)
        assert await held.token(SCOPE) != first


@pytest.mark.parametrize(
    "issued",
    [
        answer(400, {"error": "invalid_grant"}),
        answer(503),
        answer(200, b"<html>"),
        answer(200, {"token": "elsewhere"}),
    ],
)
async def test_no_token_from_maskinporten_is_no_answer(issued: bytes) -> None:
    both = Both()
    both.issued = issued
    async with tokens(both) as (held, _):
        with pytest.raises(NoAnswer):
            await held.token(SCOPE)
        both.issued = answer(200, ISSUED)
        assert await held.token(SCOPE)


@pytest.mark.parametrize(
    "exchanged",
    [
        answer(401),
        answer(500),
        answer(200, b""),
        answer(200, b"no token at all"),
        answer(200, "e30.Ø.x".encode()),
        answer(200, b"e30." + base64.urlsafe_b64encode(b'{"iss": "x"}') + b".x"),
        answer(200, token_that_ends(1e9).encode() * 1000),
    ],
)
async def test_what_is_no_token_of_altinns_is_not_sent_to_it(exchanged: bytes) -> None:
    both = Both()
    both.exchanged = exchanged
    async with tokens(both) as (held, _):
        with pytest.raises(NoAnswer):
            await held.token(SCOPE)


async def test_an_exchange_may_answer_with_a_json_string() -> None:
    both = Both()
    token = token_that_ends(2e9)
    both.exchanged = answer(200, token)
    async with tokens(both) as (held, _):
        assert await held.token(SCOPE) == token


def test_a_key_that_cannot_sign_stops_the_start() -> None:
    public = msgspec.json.encode(KEY.as_dict(private=False)).decode()
    with pytest.raises(ValueError, match="private"):
        MaskinportenKey(public)
