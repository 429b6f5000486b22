"""What a person or a test may do to Altinn by the controls, and what their page shows of it."""

from typing import Any

import pytest

from app.sandbox.people import KARI, OLA, People
from tests.sandbox.service_owner import (
    CUSTOMER,
    GENERIC,
    ORGANIZATION,
    PERSONS_RIGHT,
    PROCESSOR,
    SUPPLIER,
    WORLD,
    WRITE,
    ServiceOwner,
    person,
)

NOTHING_GIVEN = "310000183"
GIVEN = {"from": NOTHING_GIVEN, "to": SUPPLIER, "right": PROCESSOR, "action": "grant"}


async def test_what_was_done_is_answered(owner: ServiceOwner) -> None:
    assert await owner.control("POST", "/delegations", GIVEN) == GIVEN


@pytest.mark.parametrize("name", [OLA.name, OLA.slug])
async def test_a_person_is_named(owner: ServiceOwner, name: str) -> None:
    await owner.give(CUSTOMER, name, PERSONS_RIGHT)
    assert await owner.decision(person(OLA), CUSTOMER) == "Permit"
    assert People().named(name) == OLA


@pytest.mark.parametrize(
    "changes",
    [
        {"from": "310000124"},
        {"from": "x"},
        {"to": "Per Ukjent"},
        {"to": "310000124"},
        {"right": "x"},
        {"action": "dance"},
        {"more": "x"},
    ],
)
async def test_words_that_mean_nothing_are_refused(
    owner: ServiceOwner, changes: dict[str, str]
) -> None:
    answer = await owner.http.post("/_sandbox/delegations", json=GIVEN | changes)
    assert answer.status_code == 400


async def test_settings_are_shown_and_what_is_left_out_is_as_at_the_start(
    owner: ServiceOwner,
) -> None:
    standard = {
        "propagationSeconds": 0,
        "memorySeconds": 0,
        "featureOff": False,
        "approvalFails": False,
        "accessList": False,
        "neverLoggedIn": [],
    }
    assert await owner.control("GET", "/altinn/settings") == standard
    await owner.set(propagationSeconds=30, neverLoggedIn=[KARI.name])
    await owner.set(memorySeconds=300)
    assert await owner.control("GET", "/altinn/settings") == standard | {"memorySeconds": 300}


@pytest.mark.parametrize(
    "settings",
    [
        {"propagationSeconds": -1},
        {"memorySeconds": 3_601},
        {"neverLoggedIn": ["Per Ukjent"]},
        {"more": 1},
    ],
)
async def test_settings_that_cannot_be_are_refused(
    owner: ServiceOwner, settings: dict[str, Any]
) -> None:
    answer = await owner.http.put("/_sandbox/altinn/settings", json=settings)
    assert answer.status_code == 400


async def test_a_reset_forgets_all_of_altinn(owner: ServiceOwner) -> None:
    await owner.give(NOTHING_GIVEN, SUPPLIER)
    await owner.withdraw(CUSTOMER, SUPPLIER)
    await owner.set(featureOff=True)
    await ask(owner, expected=404)
    await owner.set()
    await ask(owner)
    await owner.http.post("/_sandbox/reset")
    assert not await owner.is_delegated(NOTHING_GIVEN)
    assert await owner.is_delegated(CUSTOMER)
    assert await owner.control("GET", "/altinn/requests") == []
    assert (await owner.control("GET", "/altinn/calls"))["delegationRequests"] == 0


async def test_a_fault_of_maskinporten_is_not_altinns(owner: ServiceOwner) -> None:
    await owner.headers(WRITE)
    await owner.fail({"target": "altinn", "status": 503})
    await owner.maskinporten_token(WRITE)
    await owner.fail({"target": "maskinporten", "status": 503})
    answer = await owner.http.post(f"{WORLD.maskinporten_url}token")
    assert answer.status_code == 503
    await ask(owner)


async def test_the_page_shows_what_is_given_and_has_buttons_for_it(owner: ServiceOwner) -> None:
    await owner.is_delegated(CUSTOMER)
    page = (await owner.http.get("/_sandbox/")).text
    assert f"Withdraw: {PROCESSOR} from {CUSTOMER} to FJORD SYSTEMER AS" in page
    await owner.withdraw(CUSTOMER, SUPPLIER)
    page = (await owner.http.get("/_sandbox/")).text
    assert f"Give: {PROCESSOR} from {CUSTOMER} to FJORD SYSTEMER AS" in page


async def test_the_page_shows_requests_and_what_can_be_pressed(owner: ServiceOwner) -> None:
    identifier = await ask(owner)
    for step, status in (("confirm", "Pending"), ("approve", "Approved")):
        control = f"/altinn/requests/{identifier}/{step}"
        assert f'data-control="{control}"' in (await owner.http.get("/_sandbox/")).text
        await owner.control("POST", control)
        (request,) = await owner.control("GET", "/altinn/requests")
        assert request["status"] == status
    assert "/altinn/requests/" not in (await owner.http.get("/_sandbox/")).text


async def ask(owner: ServiceOwner, expected: int = 202) -> str:
    address = f"{WORLD.altinn_url}/accessmanagement/api/v1/serviceowner/delegationrequests"
    body = {
        "from": f"{ORGANIZATION}:{SUPPLIER}",
        "to": f"{ORGANIZATION}:{CUSTOMER}",
        "resource": GENERIC,
    }
    answer = await owner.http.post(
        f"{address}/resource", json=body, headers=await owner.headers(WRITE)
    )
    assert answer.status_code == expected
    return str(answer.json()["id"]) if expected == 202 else ""
