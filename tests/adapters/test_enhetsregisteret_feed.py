"""The register's list of updates, read by the real adapter from the stand-in, and from worse."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from app.adapters.enhetsregisteret_feed import EnhetsregisteretFeed
from app.adapters.http import Neighbour
from app.organizations.register import RegisterUnavailable
from app.sandbox.neighbours import Neighbours
from tests.raw_server import Asked, answer, raw_server

NUMBERS = ["310000019", "310000302"]


@pytest.fixture
async def feed(stand_ins: Neighbours) -> AsyncIterator[EnhetsregisteretFeed]:
    async with Neighbour(stand_ins.enhetsregisteret_url, contact="x", within=5) as neighbour:
        yield EnhetsregisteretFeed(neighbour)


async def test_the_list_is_read_to_its_end_and_from_there_on(
    feed: EnhetsregisteretFeed, controls: httpx2.AsyncClient
) -> None:
    cursor = feed.beginning(datetime.now(UTC) + timedelta(hours=1))
    nothing = await feed.updates(cursor)
    assert (nothing.numbers, nothing.cursor) == ([], cursor)

    cursor = feed.beginning(datetime.now(UTC) - timedelta(seconds=1))
    for number in (*NUMBERS, NUMBERS[0]):
        marked = await controls.post(f"/_sandbox/organizations/{number}", json={"status": "merged"})
        assert marked.is_success, marked.text
    found = await feed.updates(cursor)
    assert found.numbers == NUMBERS
    rest = await feed.updates(found.cursor)
    assert (rest.numbers, rest.cursor) == ([], found.cursor)
    await controls.post(f"/_sandbox/organizations/{NUMBERS[1]}", json={"status": "live"})
    assert (await feed.updates(found.cursor)).numbers == NUMBERS[1:]


def page(*rows: Any) -> dict[str, Any]:
    return {"_embedded": {"oppdaterteEnheter": rows}}


ROW = {"oppdateringsid": 7, "organisasjonsnummer": NUMBERS[0], "endringstype": "Ukjent"}


@pytest.mark.parametrize(
    "content",
    [
        answer(503),
        answer(404),
        answer(200, b"<html>Vedlikehold</html>", media_type="text/html"),
        answer(200, b""),
        answer(200, page({**ROW, "oppdateringsid": "7"})),
        answer(200, page({"oppdateringsid": 7})),
        answer(200, {"_embedded": {"oppdaterteEnheter": None}}),
        b"",
    ],
    ids=lambda content: repr(content[:60]),
)
async def test_what_is_no_list_moves_no_cursor(content: bytes) -> None:
    async def says(_: Asked) -> bytes:
        return content

    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=2) as neighbour,
    ):
        with pytest.raises(RegisterUnavailable):
            await EnhetsregisteretFeed(neighbour).updates("oppdateringsid=1")


async def test_a_row_about_no_number_is_read_past() -> None:
    async def says(_: Asked) -> bytes:
        return answer(200, page({**ROW, "organisasjonsnummer": "A\x00B", "oppdateringsid": 9}, ROW))

    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=2) as neighbour,
    ):
        updates = await EnhetsregisteretFeed(neighbour).updates("oppdateringsid=1")
    assert (updates.numbers, updates.cursor) == (NUMBERS[:1], "oppdateringsid=10")
    [asked] = server.asked
    assert asked.headers["accept"].endswith("oppdatering.enhet.v1+json")
