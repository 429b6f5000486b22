"""What persons may do, as Altinn knows it: the real adapter, and every way to answer badly."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from app.access.person_numbers import PersonNumber
from app.access.person_rights import (
    Held,
    NoReliableAnswer,
    PersonQuestion,
    RepresentedOrganization,
)
from app.adapters import person_rights
from app.adapters.http import CircuitBreaker
from app.adapters.person_rights import AltinnPersonRights
from app.sandbox.neighbours import Neighbours
from app.sandbox.people import KARI, OLA, SYNNE, Person
from tests.adapters.altinn.calling import SCOPES, Bucket, calls_at
from tests.adapters.test_maskinporten import token_that_ends
from tests.raw_server import Asked, answer, raw_server
from tests.sandbox.service_owner import PERSONS_RIGHT

CUSTOMER, NOT_KARIS = "310000019", "310000035"


@asynccontextmanager
async def rights_at(
    altinn_url: str, maskinporten_url: str, budget: Bucket | None = None, spared_after: int = 10_000
) -> AsyncIterator[AltinnPersonRights]:
    breaker = CircuitBreaker(after=spared_after)
    async with calls_at(
        altinn_url, maskinporten_url, budget=budget, breaker=breaker, within=4
    ) as calls:
        yield AltinnPersonRights(calls, SCOPES)


@pytest.fixture
async def rights(world: Neighbours) -> AsyncIterator[AltinnPersonRights]:
    async with rights_at(world.altinn_url, world.maskinporten_url) as rights:
        yield rights


def question(who: Person = KARI, number: str = CUSTOMER, **more: Any) -> PersonQuestion:
    asked = PersonQuestion(
        person=PersonNumber(who.pid),
        security_level=4,
        organization_number=number,
        resource_id=PERSONS_RIGHT,
        action="access",
    )
    return replace(asked, **more)


@pytest.mark.parametrize(
    ("who", "number", "held"),
    [
        (KARI, CUSTOMER, Held.YES),
        (KARI, NOT_KARIS, Held.NO),
        (OLA, CUSTOMER, Held.NO),
        (SYNNE, CUSTOMER, Held.NO),
        # What organizations have given is out of order there; persons' rights are not.
        (KARI, "310000213", Held.YES),
        (KARI, "310000221", Held.YES),
    ],
)
async def test_altinn_knows_who_may(
    rights: AltinnPersonRights, who: Person, number: str, held: Held
) -> None:
    assert await rights.held(question(who, number)) is held


async def test_a_right_counts_from_when_it_is_given_until_it_is_withdrawn(
    rights: AltinnPersonRights, controls: httpx2.AsyncClient
) -> None:
    for action, held in (("grant", Held.YES), ("revoke", Held.NO)):
        change = {"from": NOT_KARIS, "to": KARI.name, "right": PERSONS_RIGHT, "action": action}
        assert (await controls.post("/delegations", json=change)).is_success
        assert await rights.held(question(KARI, NOT_KARIS)) is held


async def test_a_login_that_is_too_weak_for_the_right_is_told_apart(
    rights: AltinnPersonRights,
) -> None:
    assert await rights.held(question(security_level=2)) is Held.WEAK_LOGIN


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 500, "special": "problem"},
        {"status": 403},
        {"status": 429, "retryAfter": 1},
        {"drop": True},
        {"malformed": True},
        {"special": "indeterminate"},
        {"special": "wrongCount"},
        {"delayMs": 10_000},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_what_is_no_answer_is_neither_yes_nor_no(
    rights: AltinnPersonRights,
    controls: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
) -> None:
    if "delayMs" in fault:
        monkeypatch.setattr(person_rights, "WITHIN", 0.3)
    await rights.organizations(PersonNumber(KARI.pid), PERSONS_RIGHT)  # the tokens are there
    put = await controls.put("/faults", json=[{"target": "altinn", **fault}])
    assert put.is_success, put.text
    for who in (KARI, OLA):
        with pytest.raises(NoReliableAnswer) as unknown:
            await rights.held(question(who))
        assert who.pid not in str(unknown.value)


async def test_an_altinn_that_hangs_is_spared(
    world: Neighbours, controls: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", "delayMs": 10_000}])
    monkeypatch.setattr(person_rights, "WITHIN", 0.3)
    async with rights_at(world.altinn_url, world.maskinporten_url, spared_after=1) as rights:
        for why in ("no answer within", "failed too often"):
            with pytest.raises(NoReliableAnswer, match=why):
                await rights.held(question())


async def test_a_hidden_failure_of_the_decision_point_is_no_no(
    rights: AltinnPersonRights, controls: httpx2.AsyncClient
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", "special": "swallowedException"}])
    with pytest.raises(NoReliableAnswer, match="contradict"):
        await rights.held(question())
    assert await rights.held(question(OLA)) is Held.NO


async def test_a_no_that_nobody_seconds_is_no_answer(
    rights: AltinnPersonRights, controls: httpx2.AsyncClient
) -> None:
    fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503}
    await controls.put("/faults", json=[fault])
    with pytest.raises(NoReliableAnswer):
        await rights.held(question(OLA))
    assert await rights.held(question(KARI)) is Held.YES


async def test_a_person_is_told_for_whom_else_the_right_is_held(
    rights: AltinnPersonRights, controls: httpx2.AsyncClient
) -> None:
    person = PersonNumber(KARI.pid)
    found = await rights.organizations(person, PERSONS_RIGHT)
    assert CUSTOMER in [one.number for one in found]
    assert NOT_KARIS not in [one.number for one in found]
    assert all(one.name for one in found)
    assert await rights.organizations(PersonNumber(OLA.pid), PERSONS_RIGHT) == []
    await controls.put("/altinn/settings", json={"neverLoggedIn": [KARI.name]})
    assert await rights.organizations(person, PERSONS_RIGHT) == []


async def test_a_person_waits_before_the_rest_of_the_bucket(world: Neighbours) -> None:
    budget = Bucket()
    async with rights_at(world.altinn_url, world.maskinporten_url, budget) as rights:
        await rights.held(question(OLA))
    assert budget.taken == [("pdp", True), ("authorizedParties", True)]
    async with rights_at(world.altinn_url, world.maskinporten_url, Bucket(0)) as rights:
        with pytest.raises(NoReliableAnswer):
            await rights.held(question())


def party(**members: Any) -> dict[str, Any]:
    usual = {
        "name": "FJORDBYEN LEGESENTER AS",
        "organizationNumber": CUSTOMER,
        "isDeleted": False,
        "onlyHierarchyElementWithNoAccess": False,
        "authorizedResources": [PERSONS_RIGHT],
    }
    return usual | members


@pytest.mark.parametrize(
    ("parties", "listed"),
    [
        ([party()], True),
        ([party(onlyHierarchyElementWithNoAccess=True)], False),
        ([party(isDeleted=True)], False),
        ([party(authorizedResources=["another"])], False),
        ([party(organizationNumber=None)], False),
        ([], False),
    ],
)
async def test_only_access_to_the_organization_itself_counts(
    parties: list[dict[str, Any]], listed: bool
) -> None:
    async with misbehaving({"Decision": "NotApplicable"}, parties) as rights:
        found = await rights.organizations(PersonNumber(KARI.pid), PERSONS_RIGHT)
        named = [RepresentedOrganization(CUSTOMER, "FJORDBYEN LEGESENTER AS")]
        assert found == (named if listed else [])
        if listed:
            with pytest.raises(NoReliableAnswer):
                await rights.held(question())
        else:
            assert await rights.held(question()) is Held.NO


@pytest.mark.parametrize("level", ["", "high", "-1", "4.5", "9" * 5000])
async def test_a_level_that_cannot_be_read_is_no_yes(level: str) -> None:
    assignment = {"category": person_rights.LEAST_LEVEL, "value": level}
    decision = {"Decision": "Permit", "Obligations": [{"attributeAssignment": [assignment]}]}
    async with misbehaving(decision, []) as rights:
        with pytest.raises(NoReliableAnswer):
            await rights.held(question())


@pytest.mark.parametrize("decision", ["permit", "PERMIT", "", "Indeterminate", "Yes"])
async def test_only_the_one_word_is_a_yes(decision: str) -> None:
    async with misbehaving({"Decision": decision}, []) as rights:
        with pytest.raises(NoReliableAnswer):
            await rights.held(question())


@asynccontextmanager
async def misbehaving(
    decision: dict[str, Any], parties: list[dict[str, Any]]
) -> AsyncIterator[AltinnPersonRights]:
    """Everybody at once: Maskinporten, the exchange, the decision point and the parties."""

    token = token_that_ends(time.time() + 1_000)

    async def respond(asked: Asked) -> bytes:
        if asked.path.endswith("/token"):
            return answer(200, {"access_token": token})
        if "/exchange/" in asked.path:
            return answer(200, token.encode())
        if asked.path.endswith("/authorize"):
            return answer(200, {"Response": [decision]})
        return answer(200, parties)

    async with raw_server(respond) as server, rights_at(server.url, server.url) as rights:
        yield rights
