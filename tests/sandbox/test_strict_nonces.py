"""The strict issuer: a share of good nonces is refused, alike each time, and none twice."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from msgspec.structs import replace

from app.sandbox.app import app_for
from app.sandbox.token_issuer.strictness import StrictNonces
from tests.sandbox.conftest import connected
from tests.sandbox.installer import (
    NEIGHBOURS,
    OTHER_EC_KEY,
    Installer,
    assert_refused,
    make_proof,
)

NONCES = [f"good {number}" for number in range(60)]


def refused(seed: int, sender: str, *, others: str = "") -> list[bool]:
    strict = StrictNonces(seed)
    found = []
    for nonce in NONCES:
        found.append(strict.refuse(nonce, sender))
        if others:
            strict.refuse(f"{nonce} of another", others)
    return found


def test_a_share_is_refused_by_the_seed_and_the_sender_alone() -> None:
    seen = refused(7, "310000019 Fjord EPJ")
    assert 10 < Counter(seen)[True] < 30
    assert seen == refused(7, "310000019 Fjord EPJ", others="310000027 Fjord EPJ")
    assert seen != refused(8, "310000019 Fjord EPJ")
    assert seen != refused(7, "310000027 Fjord EPJ")


def test_what_was_given_in_a_nonces_place_is_taken_and_counts_for_nothing() -> None:
    strict, plain = StrictNonces(7), refused(7, "somebody")
    for nonce, expected in zip(NONCES, plain, strict=True):
        assert strict.refuse(nonce, "somebody") is expected
        strict.remember(f"newer than {nonce}")
        assert not strict.refuse(f"newer than {nonce}", "somebody")


@pytest.fixture
async def strict_http(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setattr("app.sandbox.token_issuer.issuer.LATE", timedelta())
    async with connected(app_for(replace(NEIGHBOURS, strict=7))) as http:
        yield http


async def test_whoever_asks_again_with_the_newer_nonce_gets_a_token(
    strict_http: httpx2.AsyncClient,
) -> None:
    installer = await Installer(strict_http).register()
    rounds = []
    for _ in range(12):
        answer = await installer.bound()
        rounds.append(answer.status_code)
        if answer.status_code == 400:
            assert_refused(answer, "use_dpop_nonce")
            newer = make_proof(OTHER_EC_KEY, nonce=answer.headers["dpop-nonce"])
            assert (await installer.send(proof=newer)).status_code == 200
    assert set(rounds) == {200, 400}

    # Begun anew, it goes the same way, whatever the client is called this time.
    await strict_http.post("/_sandbox/reset")
    again = await Installer(strict_http).register()
    assert [(await again.bound()).status_code for _ in rounds] == rounds


async def test_who_is_unknown_uses_nothing_up(strict_http: httpx2.AsyncClient) -> None:
    """A client asks until the issuer has learnt of it, and how often depends on the time."""
    hurried, patient = Installer(strict_http), Installer(strict_http)
    for _ in range(5):
        early = make_proof(OTHER_EC_KEY, nonce="1700000000.aa.bb")
        assert_refused(await hurried.send(proof=early), "invalid_client")
    await hurried.register(organization_number="310000027")
    seen = [(await hurried.bound()).status_code for _ in range(12)]
    await strict_http.post("/_sandbox/reset")
    await patient.register(organization_number="310000027")
    assert [(await patient.bound()).status_code for _ in range(12)] == seen
