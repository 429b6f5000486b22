"""What no Altinn says that is well, and what the adapter makes of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.adapters import altinn_calls
from app.adapters.altinn import HttpAltinn
from app.adapters.http import CircuitBreaker
from app.delegations.altinn import AltinnBusy, AltinnUnavailable
from app.delegations.answers import Found, Source
from tests.adapters.altinn.calling import (
    ACCESS,
    CUSTOMER,
    SUPPLIER,
    altinn_at,
    question,
)
from tests.adapters.test_maskinporten import token_that_ends
from tests.raw_server import Asked, RawServer, answer, raw_server
from tests.sandbox.service_owner import PROCESSOR, SCOPE


class Odd:
    """Gives a token, and then says exactly what it is told to."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    async def __call__(self, asked: Asked) -> bytes:
        if asked.path == "/token":
            return answer(200, {"access_token": "m"})
        if asked.path.startswith("/authentication"):
            token = token_that_ends(time.time() + 1800)
            return answer(200, token.encode(), media_type="text/plain")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def odd_altinn(
    handler: Callable[[Asked], Awaitable[bytes]],
    breaker: CircuitBreaker | None = None,
    within: float = 2,
) -> AsyncIterator[tuple[HttpAltinn, RawServer]]:
    async with (
        raw_server(handler) as server,
        altinn_at(
            server.url,
            server.url,
            pages_url="https://am.ui.altinn.no/accessmanagement/ui",
            breaker=breaker,
            within=within,
        ) as altinn,
    ):
        yield altinn, server


def row(**members: object) -> dict[str, object]:
    good: dict[str, object] = {
        "consumer_org": CUSTOMER,
        "supplier_org": SUPPLIER,
        "delegation_scheme_Id": None,
        "scopes": [SCOPE],
    }
    return good | members


@pytest.mark.parametrize(
    "body",
    [
        {"not": "a list"},
        [row(scopes=None)],
        [row(consumer_org="310000051")],
        [row(supplier_org="310700037")],
        [row(), row(consumer_org="310000051")],
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_an_answer_about_something_else_is_none(body: object) -> None:
    async with odd_altinn(Odd(answer(200, body))) as (altinn, _):
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)


async def test_another_scope_of_the_same_parties_is_a_no() -> None:
    async with odd_altinn(Odd(answer(200, [row(scopes=["nhn:other"])]))) as (altinn, _):
        found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.NOT_GIVEN


@pytest.mark.parametrize(
    "party",
    [
        {"onlyHierarchyElementWithNoAccess": True},
        {"authorizedResources": []},
        {"organizationNumber": "310000051"},
    ],
)
async def test_a_heading_is_no_access(party: dict[str, object]) -> None:
    good = {"organizationNumber": CUSTOMER, "authorizedResources": [PROCESSOR]}
    async with odd_altinn(Odd(answer(200, [good | party]), answer(200, [good]))) as (altinn, _):
        found = await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)
        assert found.found == Found.NOT_GIVEN
        found = await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)
        assert found.found == Found.GIVEN


@pytest.mark.parametrize(
    "decisions",
    [[], [{"Decision": "Permit"}] * 2, [{"Decision": "permit"}], [{}], [{"Decision": "Maybe"}]],
)
async def test_decisions_are_counted_and_read_to_the_letter(decisions: list[object]) -> None:
    async with odd_altinn(Odd(answer(200, {"Response": decisions}))) as (altinn, _):
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(ACCESS), Source.PDP)


@pytest.mark.parametrize(
    "link", ["", "https://evil.example/requests", "javascript:alert(1)", "https://am.ui.altinn.no"]
)
async def test_people_are_sent_to_altinns_own_pages_only(link: str) -> None:
    body = {"id": "r", "status": "Draft", "links": {"detailsLink": link}}
    async with odd_altinn(Odd(answer(202, body))) as (altinn, _):
        made = await altinn.make_request(question(ACCESS))
    assert made.link.startswith("https://am.ui.altinn.no")


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    good = answer(200, [row()])
    async with odd_altinn(Odd(answer(401), good)) as (altinn, server):
        found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.GIVEN
    assert server.paths().count("POST /token") == 2
    async with odd_altinn(Odd(answer(401))) as (altinn, server):
        with pytest.raises(AltinnUnavailable, match="does not take our token"):
            await altinn.look_up(question(), Source.MASKINPORTEN)


async def test_a_call_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altinn_calls, "FIRST_PAUSE", 0.01)

    class Hanging(Odd):
        async def __call__(self, asked: Asked) -> bytes:
            if asked.path.startswith("/accessmanagement"):
                await asyncio.sleep(30)
            return await super().__call__(asked)

    async with odd_altinn(Hanging(answer()), within=0.2) as (altinn, server):
        began = time.monotonic()
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert time.monotonic() - began < 3
    assert sum(asked.path.startswith("/accessmanagement") for asked in server.asked) == 3


async def test_an_altinn_that_fails_on_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altinn_calls, "FIRST_PAUSE", 0.001)
    now = 0.0
    breaker = CircuitBreaker(after=2, rest=3, clock=lambda: now)
    async with odd_altinn(Odd(answer(503)), breaker) as (altinn, server):
        for _ in range(2):
            with pytest.raises(AltinnUnavailable):
                await altinn.look_up(question(), Source.MASKINPORTEN)
        calls = len(server.asked)
        with pytest.raises(AltinnBusy):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert len(server.asked) == calls
        now = 4.0
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert len(server.asked) > calls


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("12", 12, 12),
        (timedelta(seconds=600), 500, 600),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 0, 0),
        ("999999999", 3600, 3600),
        ("soon", 2, 60),
        (None, 2, 60),
        ("-5", 2, 60),
    ],
)
async def test_how_long_to_wait_may_be_said_in_many_ways(
    said: str | timedelta | None, least: float, most: float
) -> None:
    if isinstance(said, timedelta):
        said = format_datetime(datetime.now(UTC) + said, usegmt=True)
    headers = {"Retry-After": said} if said else {}
    async with odd_altinn(Odd(answer(429, headers=headers))) as (altinn, _):
        with pytest.raises(AltinnBusy) as busy:
            await altinn.look_up(question(), Source.MASKINPORTEN)
    assert least <= busy.value.seconds <= most
