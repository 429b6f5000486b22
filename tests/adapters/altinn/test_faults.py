"""Every way in which Altinn fails, from the wire to the record: no state is changed wrongly."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import update

from app.adapters.altinn import HttpAltinn
from app.apis.catalogue import Right
from app.database import Database
from app.delegations.answers import Found
from app.delegations.asking import ask_what_is_due
from app.delegations.models import DelegationPoll
from app.delegations.rules import USABLE, State
from app.sandbox.neighbours import Neighbours
from tests.adapters.altinn.calling import ACCESS, SCHEMA, altinn_at, press
from tests.delegations.examples import (
    RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
    record_of,
)
from tests.examples import NOW

GIVEN, NOTHING = "310000019", "310000183"
LATER = NOW + timedelta(days=1)
FAILURES: list[dict[str, Any]] = [
    {"status": 429, "retryAfter": 2},
    {"special": "tooManyRequestsDate"},
    {"status": 500, "special": "problem"},
    {"status": 503},
    {"delayMs": 3_000},
    {"malformed": True},
    {"drop": True},
]


@pytest.fixture
async def altinn(world: Neighbours) -> AsyncIterator[HttpAltinn]:
    """Patient enough for what answers at all, and no more."""
    async with altinn_at(
        world.altinn_url, world.maskinporten_url, pages_url=world.altinn_pages_url, within=0.5
    ) as altinn:
        yield altinn


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def states_after(database: Database, altinn: HttpAltinn, right: Right) -> dict[str, State]:
    """Of a right that was active and of one that was missing, once Altinn has been asked."""
    clients = {}
    for number, found in ((GIVEN, Found.GIVEN), (NOTHING, Found.NOT_GIVEN)):
        clients[number] = await followed_client(database, organization_number=number)
        await ask_all(database, InstantAltinn(found), NOW)
    async with database.sessions.begin() as db:
        await db.execute(update(DelegationPoll).values(due_at=LATER))
    rights = {RIGHT.name: replace(right, name=RIGHT.name)}
    await ask_what_is_due(database, altinn, rights, limit=10, now=LATER)
    records = {number: await record_of(database, each) for number, each in clients.items()}
    assert all(poll.due_at and poll.due_at > LATER for _, poll in records.values())
    return {number: delegation.state for number, (delegation, _) in records.items()}


@pytest.mark.parametrize("fault", FAILURES, ids=str)
async def test_what_is_no_answer_changes_no_state(
    database: Database,
    altinn: HttpAltinn,
    controls: httpx2.AsyncClient,
    fault: dict[str, Any],
) -> None:
    await controls.put(
        "/faults", json=[{"target": "altinn", "path": "/accessmanagement/*", **fault}]
    )
    states = await states_after(database, altinn, SCHEMA)
    assert states == {GIVEN: State.ACTIVE, NOTHING: State.MISSING}


@pytest.mark.parametrize("special", ["indeterminate", "wrongCount"])
async def test_what_is_no_decision_changes_no_state(
    database: Database, altinn: HttpAltinn, controls: httpx2.AsyncClient, special: str
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", "special": special}])
    states = await states_after(database, altinn, ACCESS)
    assert states == {GIVEN: State.ACTIVE, NOTHING: State.MISSING}


@pytest.mark.parametrize(
    ("special", "right"), [("swallowedException", ACCESS), ("contradiction", SCHEMA)]
)
async def test_a_no_that_is_none_takes_nothing_away(
    database: Database, altinn: HttpAltinn, controls: httpx2.AsyncClient, special: str, right: Right
) -> None:
    await press(controls, GIVEN, right)
    await controls.put("/faults", json=[{"target": "altinn", "special": special}])
    states = await states_after(database, altinn, right)
    assert states[GIVEN] == State.SUSPECT
    assert State.SUSPECT in USABLE
