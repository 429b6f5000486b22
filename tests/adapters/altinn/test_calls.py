"""Altinn over HTTP: the real adapter against the simulator."""

from typing import Any

import httpx2
import msgspec
import pytest

from app.adapters.altinn import HttpAltinn
from app.apis.catalogue import Right
from app.delegations.altinn import AltinnBusy, AltinnUnavailable, Question, RequestsOff
from app.delegations.answers import Found, RequestStatus, Source
from app.sandbox.neighbours import Neighbours
from tests.adapters.altinn.calling import (
    ACCESS,
    CUSTOMER,
    SCHEMA,
    Bucket,
    altinn_at,
    press,
    question,
    right_for,
)

NOTHING, DOWN, CONTRADICTING = "310000183", "310000213", "310000221"
SOURCES = [Source.MASKINPORTEN, Source.PDP, Source.AUTHORIZED_PARTIES]


@pytest.mark.parametrize(
    ("source", "right"),
    [
        (Source.MASKINPORTEN, SCHEMA),
        (Source.PDP, ACCESS),
        (Source.AUTHORIZED_PARTIES, SCHEMA),
        (Source.AUTHORIZED_PARTIES, ACCESS),
    ],
)
async def test_what_is_given_is_found_by_every_call(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, source: Source, right: Right
) -> None:
    await press(controls, NOTHING, right, "revoke")
    before = await altinn.look_up(question(right, NOTHING), source)
    assert (before.found, before.source) == (Found.NOT_GIVEN, source)
    await press(controls, NOTHING, right)
    after = await altinn.look_up(question(right, NOTHING), source)
    assert after.found == Found.GIVEN
    assert after.request_ref
    assert after.decision


async def test_the_calls_contradict_each_other_about_221(altinn: HttpAltinn) -> None:
    answers = [
        (await altinn.look_up(question(giver=CONTRADICTING), source)).found
        for source in (Source.MASKINPORTEN, Source.AUTHORIZED_PARTIES)
    ]
    assert sorted(answers) == [Found.GIVEN, Found.NOT_GIVEN]


async def test_a_number_that_altinn_does_not_know_is_told_from_a_missing_right(
    altinn: HttpAltinn,
) -> None:
    found = await altinn.look_up(question(giver="310000124"), Source.MASKINPORTEN)
    assert found.found == Found.NO_SUCH_PARTY


async def test_a_supplier_that_altinn_does_not_know_is_no_answer(altinn: HttpAltinn) -> None:
    asked = Question(right=SCHEMA, giver=CUSTOMER, receiver="310000124")
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(asked, Source.MASKINPORTEN)


async def test_a_scope_that_is_not_ours_is_no_answer(altinn: HttpAltinn) -> None:
    foreign = msgspec.structs.replace(SCHEMA, maskinporten_scope="skd:something")
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(foreign), Source.MASKINPORTEN)


async def test_a_resource_that_altinn_does_not_know_is_no_answer(altinn: HttpAltinn) -> None:
    """`Indeterminate`, with 200."""
    unknown = msgspec.structs.replace(ACCESS, resource_id="nhn-nothing")
    with pytest.raises(AltinnUnavailable, match="Indeterminate"):
        await altinn.look_up(question(unknown), Source.PDP)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 403},
        {"status": 404},
        {"malformed": True},
        {"drop": True},
        {"loseAnswer": True},
        {"special": "problem"},
    ],
)
async def test_a_fault_is_no_answer(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, source: Source, fault: dict[str, Any]
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", **fault}])
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(right_for(source)), source)


@pytest.mark.parametrize("special", ["indeterminate", "wrongCount"])
async def test_a_decision_that_is_none_is_no_answer(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, special: str
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", "special": special}])
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(ACCESS), Source.PDP)


async def test_a_hidden_failure_looks_like_a_no(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    """Which is why one no takes nothing away."""
    await press(controls, CUSTOMER, ACCESS)
    await controls.put("/faults", json=[{"target": "altinn", "special": "swallowedException"}])
    found = await altinn.look_up(question(ACCESS), Source.PDP)
    assert (found.found, found.decision) == (Found.NOT_GIVEN, "NotApplicable")


async def test_an_access_list_is_a_no(altinn: HttpAltinn, controls: httpx2.AsyncClient) -> None:
    await press(controls, CUSTOMER, ACCESS)
    await controls.put("/altinn/settings", json={"accessList": True})
    found = await altinn.look_up(question(ACCESS), Source.PDP)
    assert (found.found, found.decision) == (Found.NOT_GIVEN, "Deny")


async def test_a_failure_that_passes_is_not_noticed(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    # Of the look-up alone: the token's exchange is a call of its own.
    fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503, "times": 2}
    await controls.put("/faults", json=[fault])
    found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.GIVEN


async def test_213_is_out_of_order_for_every_call(altinn: HttpAltinn) -> None:
    for source in SOURCES:
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(right_for(source), DOWN), source)


async def test_too_many_calls_leave_the_product_alone_for_as_long_as_it_says(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    path = "/accessmanagement/*"
    fault = {"target": "altinn", "path": path, "status": 429, "retryAfter": 30, "times": 1}
    await controls.put("/faults", json=[fault])
    with pytest.raises(AltinnBusy) as busy:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert busy.value.seconds == 30
    with pytest.raises(AltinnBusy) as still:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert 29 < still.value.seconds <= 30
    assert (await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)).found == Found.GIVEN


async def test_too_many_calls_may_be_said_with_a_date(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    fault = {"target": "altinn", "special": "tooManyRequestsDate", "path": "/accessmanagement/*"}
    await controls.put("/faults", json=[{**fault, "retryAfter": 60}])
    with pytest.raises(AltinnBusy) as busy:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert 50 < busy.value.seconds <= 61


async def test_a_request_goes_from_draft_to_the_right(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, world: Neighbours
) -> None:
    giver = "310900060"
    await press(controls, giver, ACCESS, "revoke")
    made = await altinn.make_request(question(ACCESS, giver))
    assert made.status == RequestStatus.DRAFT
    assert made.link.startswith(world.altinn_pages_url)
    assert made.id in made.link
    # The same draft again, as long as it is one.
    assert (await altinn.make_request(question(ACCESS, giver))).id == made.id
    for step, status in (("confirm", RequestStatus.PENDING), ("approve", RequestStatus.APPROVED)):
        pressed = await controls.post(f"/altinn/requests/{made.id}/{step}")
        assert pressed.is_success, pressed.text
        assert await altinn.request_status(made.id, urgent=True) == status
    assert (await altinn.look_up(question(ACCESS, giver), Source.PDP)).found == Found.GIVEN
    await altinn.withdraw_request(made.id)  # it is decided, and stays so
    assert await altinn.request_status(made.id, urgent=True) == RequestStatus.APPROVED


async def test_a_request_can_be_withdrawn(altinn: HttpAltinn) -> None:
    made = await altinn.make_request(question(ACCESS, "310000051"))
    await altinn.withdraw_request(made.id)
    assert await altinn.request_status(made.id, urgent=False) == RequestStatus.WITHDRAWN
    await altinn.withdraw_request(made.id)
    await altinn.withdraw_request("9b6f6d55-6b0a-4ef5-9d8e-3a3ed1c0f7aa")


async def test_a_bundle_of_scopes_cannot_be_requested(altinn: HttpAltinn) -> None:
    with pytest.raises(RequestsOff):
        await altinn.make_request(question(SCHEMA))


async def test_where_requests_are_switched_off_that_is_said(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    made = await altinn.make_request(question(ACCESS, "310000078"))
    await controls.put("/altinn/settings", json={"featureOff": True})
    with pytest.raises(RequestsOff):
        await altinn.make_request(question(ACCESS))
    with pytest.raises(AltinnUnavailable):
        await altinn.request_status(made.id, urgent=False)
    await altinn.withdraw_request(made.id)  # nothing is there that could be withdrawn


async def test_a_request_that_failed_is_not_repeated(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    await controls.delete("/altinn/calls")
    fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503}
    await controls.put("/faults", json=[fault])
    with pytest.raises(AltinnUnavailable):
        await altinn.make_request(question(ACCESS))
    calls = (await controls.get("/altinn/calls")).json()
    assert calls["delegationRequests"] == 1


async def test_every_try_is_paid_for(world: Neighbours, controls: httpx2.AsyncClient) -> None:
    budget = Bucket(4)
    async with altinn_at(
        world.altinn_url, world.maskinporten_url, pages_url="https://a", budget=budget
    ) as altinn:
        await altinn.look_up(question(), Source.MASKINPORTEN)
        await controls.delete("/altinn/calls")
        fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503}
        await controls.put("/faults", json=[fault])
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        with pytest.raises(AltinnBusy) as busy:
            await altinn.look_up(question(), Source.MASKINPORTEN)
    assert busy.value.seconds == 7
    assert (await controls.get("/altinn/calls")).json()["maskinportenDelegations"] == 3
    assert budget.taken == [(Source.MASKINPORTEN, False)] * 4
