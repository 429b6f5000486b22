"""Looking organizations up, with and without a register that answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.adapters.enhetsregisteret import TRIES, WITHIN, Enhetsregisteret
from app.adapters.http import Neighbour
from app.database import Database
from app.organizations.register import Verdict
from app.organizations.use_cases import organization_of
from tests.examples import NOW, ORGANIZATION
from tests.raw_server import Asked, RawServer, answer, raw_server

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ETAG = '"1"'


class Registry:
    """Knows one organization, until a test says otherwise."""

    def __init__(self) -> None:
        self.name = "FJORDBYEN LEGESENTER AS"
        self.down = False
        self.knows = True
        self.slow = 0.0
        self.server: RawServer

    async def __call__(self, asked: Asked) -> bytes:
        await asyncio.sleep(self.slow)
        if self.down:
            return answer(503)
        if not self.knows:
            return answer(404)
        if asked.headers.get("if-none-match") == ETAG:
            return answer(304)
        unit = {
            "organisasjonsnummer": ORGANIZATION,
            "respons_klasse": "Enhet",
            "navn": self.name,
        }
        return answer(200, unit, headers={"ETag": ETAG})


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.engine.dispose()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def register(registry: Registry) -> AsyncIterator[Enhetsregisteret]:
    async with (
        raw_server(registry) as server,
        Neighbour(server.url, contact="x", within=WITHIN, tries=TRIES) as neighbour,
    ):
        registry.server = server
        yield Enhetsregisteret(neighbour)


async def test_the_register_is_asked_once_a_day(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    for hours in (0, 1, 23):
        found = await organization_of(
            database.sessions, register, ORGANIZATION, now=NOW + hours * HOUR
        )
        assert found is not None
        assert (found.entry.name, found.stale) == (registry.name, False)
    assert len(registry.server.asked) == 1


async def test_after_a_day_it_is_asked_whether_anything_has_changed(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    for now in (NOW, NOW + DAY, NOW + DAY + HOUR):
        found = await organization_of(database.sessions, register, ORGANIZATION, now=now)
        assert found is not None
        assert found.entry.verdict == Verdict.MAIN_UNIT
    assert [asked.headers.get("if-none-match") for asked in registry.server.asked] == [None, ETAG]


async def test_a_silent_register_is_stood_in_for_by_what_it_said(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    await organization_of(database.sessions, register, ORGANIZATION, now=NOW)
    registry.down = True
    found = await organization_of(database.sessions, register, ORGANIZATION, now=NOW + 6 * DAY)
    assert found is not None
    assert (found.entry.name, found.stale) == (registry.name, True)
    assert (
        await organization_of(database.sessions, register, ORGANIZATION, now=NOW + 7 * DAY) is None
    )


async def test_what_was_never_asked_is_not_known_while_it_is_silent(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    registry.down = True
    assert await organization_of(database.sessions, register, ORGANIZATION, now=NOW) is None


async def test_a_number_that_was_unknown_is_asked_for_again_after_an_hour(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    registry.knows = False
    found = await organization_of(database.sessions, register, ORGANIZATION, now=NOW)
    assert found is not None
    assert found.entry.verdict == Verdict.UNKNOWN_NUMBER
    registry.knows = True
    found = await organization_of(database.sessions, register, ORGANIZATION, now=NOW + HOUR)
    assert found is not None
    assert found.entry.verdict == Verdict.MAIN_UNIT


async def test_many_who_ask_at_once_cost_one_call(
    database: Database, register: Enhetsregisteret, registry: Registry
) -> None:
    registry.slow = 0.5
    found = await asyncio.gather(
        *(organization_of(database.sessions, register, ORGANIZATION, now=NOW) for _ in range(8))
    )
    assert {entry.entry.name for entry in found if entry} == {registry.name}
    assert len(registry.server.asked) == 1
