"""Sub-units, as the register's stand-in knows them."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from app.adapters.enhetsregisteret import TRIES, WITHIN, Enhetsregisteret
from app.adapters.http import Neighbour
from app.database import Database
from app.organizations.children import not_below_errors
from tests.examples import NOW
from tests.raw_server import Asked, answer, raw_server

MUNICIPALITY, PART, OFFICE = "310900060", "310900079", "310900087"
PARENTS = {PART: MUNICIPALITY, OFFICE: PART}
SILENT = "310900095"


async def says(asked: Asked) -> bytes:
    kind, number = asked.path.split("/")[-2:]
    if number == SILENT:
        await asyncio.sleep(10)
    parent = {"overordnetEnhet": PARENTS[number]} if number in PARENTS else {}
    unit = {"organisasjonsnummer": number, **parent}
    if kind == "underenheter":
        return (
            answer(200, {**unit, "respons_klasse": "Underenhet"}) if number == OFFICE else UNKNOWN
        )
    if number in (MUNICIPALITY, PART, "310000019"):
        return answer(200, {**unit, "respons_klasse": "Enhet"})
    return UNKNOWN


UNKNOWN = answer(404)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.engine.dispose()


@pytest.fixture
async def register() -> AsyncIterator[Enhetsregisteret]:
    async with (
        raw_server(says) as server,
        Neighbour(server.url, contact="x", within=WITHIN, tries=TRIES) as neighbour,
    ):
        yield Enhetsregisteret(neighbour)


async def wrong(
    database: Database, register: Enhetsregisteret, numbers: list[str], parent: str
) -> list[str]:
    errors = await not_below_errors(
        database.sessions, register, numbers, parent, pointer="#/children", now=NOW
    )
    return [error.pointer for error in errors]


async def test_a_sub_unit_may_stand_some_levels_below(
    database: Database, register: Enhetsregisteret
) -> None:
    assert await wrong(database, register, [OFFICE, PART], MUNICIPALITY) == []
    assert await wrong(database, register, [OFFICE], PART) == []


async def test_what_stands_elsewhere_is_pointed_at(
    database: Database, register: Enhetsregisteret
) -> None:
    numbers = [OFFICE, "310000019", "310000124"]
    assert await wrong(database, register, numbers, MUNICIPALITY) == [
        "#/children/1",
        "#/children/2",
    ]
    assert await wrong(database, register, [OFFICE], "310000019") == ["#/children/0"]


@pytest.mark.alone
async def test_what_the_register_does_not_say_is_not_held_against_anybody(
    database: Database, register: Enhetsregisteret
) -> None:
    began = time.monotonic()
    numbers = [SILENT] * 3 + ["310000019"]
    assert await wrong(database, register, numbers, MUNICIPALITY) == ["#/children/3"]
    assert time.monotonic() - began < 3
    assert await wrong(database, register, [], MUNICIPALITY) == []
