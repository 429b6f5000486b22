"""Altinn's list of changed resources, read from the stand-in, and from worse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from app.adapters.altinn_resources import MOST_PAGES, AltinnResources
from app.adapters.http import Neighbour
from app.delegations.altinn import AltinnUnavailable
from app.sandbox.neighbours import Neighbours
from tests.adapters.altinn.calling import Bucket
from tests.raw_server import Asked, answer, raw_server
from tests.sandbox.service_owner import PROCESSOR

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
LATER = SINCE + timedelta(hours=1)


def row(name: str, at: datetime = LATER) -> dict[str, Any]:
    return {
        "subjectUrn": "urn:altinn:rolecode:dagl",
        "resourceUrn": f"urn:altinn:resource:{name}",
        "updatedAt": at.isoformat(),
        "deleted": False,
    }


async def test_what_has_changed_is_heard_once(
    stand_ins: Neighbours, controls: httpx2.AsyncClient
) -> None:
    bucket = Bucket()
    async with Neighbour(stand_ins.altinn_url, contact="x", within=5) as platform:
        resources = AltinnResources(platform, bucket)
        nothing = await resources.changed_since(SINCE)
        assert (nothing.ids, nothing.until) == (frozenset(), SINCE)
        changed = await controls.post(f"/_sandbox/altinn/resources/{PROCESSOR}/rules")
        assert changed.status_code == 204
        news = await resources.changed_since(SINCE)
        assert news.ids == {PROCESSOR}
        assert (await resources.changed_since(news.until)).ids == frozenset()
    assert bucket.taken == [("resourceRegistry", False)] * 3


async def test_pages_are_followed_as_long_as_they_are_altinns() -> None:
    async def says(asked: Asked) -> bytes:
        here = f"http://{asked.headers['host']}{asked.path.partition('?')[0]}"
        number = asked.path.count("token")
        following = [f"{here}?token=1", f"{here}?token=2&token=2", "https://evil.example/"][number]
        return answer(200, {"links": {"next": following}, "data": [row(f"r{number}")]})

    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=2) as platform,
    ):
        changed = await AltinnResources(platform, Bucket()).changed_since(SINCE)
    assert changed.ids == {"r0", "r1", "r2"}
    assert changed.until == LATER


async def test_a_list_without_an_end_is_left_and_what_was_read_before_is_no_news() -> None:
    async def says(asked: Asked) -> bytes:
        here = f"http://{asked.headers['host']}{asked.path}"
        return answer(200, {"links": {"next": here}, "data": [row("old", SINCE)]})

    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=2) as platform,
    ):
        changed = await AltinnResources(platform, Bucket()).changed_since(SINCE)
        assert len(server.asked) == MOST_PAGES
    assert (changed.ids, changed.until) == (frozenset(), SINCE)


@pytest.mark.parametrize(
    "content",
    [
        answer(503),
        answer(404),
        answer(200, b""),
        answer(200, {"links": {}}),
        answer(200, {"data": [{**row("x"), "updatedAt": "2026-10-01T00:00:00"}]}),
    ],
    ids=lambda content: repr(content[:60]),
)
async def test_what_is_no_list_is_no_answer(content: bytes) -> None:
    async def says(_: Asked) -> bytes:
        return content

    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=2) as platform,
    ):
        with pytest.raises(AltinnUnavailable):
            await AltinnResources(platform, Bucket()).changed_since(SINCE)


async def test_an_empty_bucket_is_waited_for() -> None:
    async with Neighbour("http://127.0.0.1:9", contact="x", within=1) as platform:
        with pytest.raises(AltinnUnavailable, match="budget"):
            await AltinnResources(platform, Bucket(0)).changed_since(SINCE)
