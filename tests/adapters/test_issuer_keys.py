"""The issuer's keys: what is fetched, how often, and what becomes of it in an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from joserfc.jwk import ECKey

from app.access.access_tokens import IssuerKeysUnavailable
from app.adapters.discovery import Discovery
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.issuer_keys import IssuerJwks
from tests.raw_server import Asked, RawServer, answer, raw_server


def jwk(kid: str) -> dict[str, Any]:
    return {**ECKey.generate_key("P-256").as_dict(private=False), "kid": kid, "use": "sig"}


OLD, NEW = jwk("old"), jwk("new")
DAY = 24 * 3600.0


class Issuer:
    """An issuer whose keys and health a test decides, and the clock by which we judge it."""

    def __init__(self) -> None:
        self.keys: list[Any] = [OLD]
        self.jwks: bytes | None = None
        self.jwks_uri: str | None = None
        self.now = 1_000_000.0
        self.server: RawServer
        self.slow = 0.0

    async def __call__(self, asked: Asked) -> bytes:
        await asyncio.sleep(self.slow)
        origin = f"http://{asked.headers['host']}"
        if "well-known" in asked.path:
            uri = self.jwks_uri or f"{origin}/jwks"
            return answer(200, {"issuer": origin, "jwks_uri": uri})
        return answer(200, {"keys": self.keys}) if self.jwks is None else self.jwks

    def fetched(self) -> int:
        return self.server.paths().count("GET /jwks")


@asynccontextmanager
async def connected(issuer: Issuer) -> AsyncIterator[IssuerJwks]:
    async with (
        raw_server(issuer) as server,
        Neighbour(
            server.url, contact="x", within=1.0, breaker=CircuitBreaker(after=10_000)
        ) as neighbour,
    ):
        issuer.server = server
        discovery = Discovery(neighbour, server.url, clock=lambda: issuer.now)
        yield IssuerJwks(neighbour, discovery, clock=lambda: issuer.now)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def keys(issuer: Issuer) -> AsyncIterator[IssuerJwks]:
    async with connected(issuer) as keys:
        yield keys


async def test_a_key_is_imported_once(keys: IssuerJwks, issuer: Issuer) -> None:
    first = await keys.key("old")
    assert first is not None
    assert first.parameters["x"] == OLD["x"]
    await keys._refreshed()
    assert await keys.key("old") is first


async def test_those_who_ask_at_once_fetch_once(keys: IssuerJwks, issuer: Issuer) -> None:
    await asyncio.gather(*(keys.key("old") for _ in range(20)))
    assert issuer.fetched() == 1


async def test_an_unknown_kid_asks_the_issuer_at_most_once_a_minute(
    keys: IssuerJwks, issuer: Issuer
) -> None:
    await keys.key("old")
    issuer.keys = [OLD, NEW]
    assert await keys.key("new") is not None
    assert issuer.fetched() == 2
    issuer.now += 59
    for number in range(50):
        assert await keys.key(f"made up {number}") is None
    assert issuer.fetched() == 2
    issuer.now += 1
    assert await keys.key("made up") is None
    assert issuer.fetched() == 3


async def test_a_key_that_the_issuer_takes_away_is_gone_at_once(
    keys: IssuerJwks, issuer: Issuer
) -> None:
    assert await keys.key("old") is not None
    issuer.keys = [NEW]
    await keys._refreshed()
    assert await keys.key("old") is None
    assert await keys.key("new") is not None


async def test_another_key_with_the_same_kid_takes_its_place(
    keys: IssuerJwks, issuer: Issuer
) -> None:
    assert await keys.key("old") is not None
    issuer.keys = [{**NEW, "kid": "old"}]
    await keys._refreshed()
    key = await keys.key("old")
    assert key is not None
    assert key.parameters["x"] == NEW["x"]


@pytest.mark.parametrize(
    "nonsense",
    [
        answer(500),
        answer(404),
        answer(200, b"<html></html>", media_type="text/html"),
        answer(200, {"keys": "none"}),
        answer(200, {}),
        answer(200, b'{"keys": ' + b"[" * 100_000),
        answer(302, headers={"Location": "/other"}),
        b"",
    ],
    ids=lambda content: repr(content[:30]),
)
async def test_in_an_outage_keys_live_for_a_day(
    keys: IssuerJwks, issuer: Issuer, nonsense: bytes
) -> None:
    assert await keys.key("old") is not None
    issuer.jwks = nonsense
    issuer.now += DAY - 1
    await keys._refreshed()
    assert await keys.key("old") is not None
    issuer.now += 1
    with pytest.raises(IssuerKeysUnavailable):
        await keys.key("old")
    issuer.jwks = None
    issuer.now += 1
    assert await keys.key("old") is not None


async def test_in_an_outage_an_unknown_kid_is_no_verdict(keys: IssuerJwks, issuer: Issuer) -> None:
    assert await keys.key("old") is not None
    issuer.jwks = answer(500)
    issuer.now += 300
    with pytest.raises(IssuerKeysUnavailable):
        await keys.key("new")


async def test_keys_come_from_the_issuers_own_origin(keys: IssuerJwks, issuer: Issuer) -> None:
    async with raw_server(issuer) as stranger:
        issuer.jwks_uri = f"{stranger.url}/jwks"
        with pytest.raises(IssuerKeysUnavailable):
            await keys.key("old")
        assert stranger.asked == []


async def test_what_is_no_key_for_signatures_is_left_out(keys: IssuerJwks, issuer: Issuer) -> None:
    small = {"kty": "RSA", "e": "AQAB", "n": "_" * 171, "kid": "small"}
    issuer.keys = [
        {**NEW, "use": "enc"},
        small,
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kid": 7, "kty": "EC"},
        OLD,
        {**NEW, "kid": "old"},
    ]
    key = await keys.key("old")
    assert key is not None
    assert key.parameters["x"] == OLD["x"]
    for kid in ("new", "small", "secret"):
        assert await keys.key(kid) is None


async def test_the_background_fetches_so_that_requests_need_not(issuer: Issuer) -> None:
    issuer.slow = 0.05
    async with connected(issuer) as keys, keys:
        async with asyncio.timeout(10):
            while not issuer.fetched():  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.01)
        assert await keys.key("old") is not None
        assert issuer.fetched() == 1


async def test_one_who_gives_up_does_not_end_the_refresh_of_the_others(
    keys: IssuerJwks, issuer: Issuer
) -> None:
    issuer.slow = 0.1
    asking = [asyncio.create_task(keys.key("old")) for _ in range(3)]
    await asyncio.sleep(0.05)
    asking[0].cancel()
    assert await asking[1] is not None
    assert await asking[2] is not None
