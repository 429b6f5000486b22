"""What a person or a test may do to Altinn by the controls, and by the buttons of their page."""

from typing import Any

import pytest

from app.sandbox.altinn.numbers import NO_PERSONS_RIGHT
from app.sandbox.people import KARI, OLA, person_named
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
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
GIVEN = {"from": NOTHING_GIVEN, "to": SUPPLIER, "right": PROCESSOR, "action": "grant"}


async def test_what_was_done_is_answered(owner: ServiceOwner) -> None:
    assert await owner.control("POST", "/delegations", GIVEN) == GIVEN


@pytest.mark.parametrize("name", [OLA.name, OLA.slug])
async def test_a_person_is_named(owner: ServiceOwner, name: str) -> None:
    await owner.give(CUSTOMER, name, PERSONS_RIGHT)
    assert await owner.decision(person(OLA), CUSTOMER) == "Permit"
    assert person_named(name) == OLA


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
    assert f"Trekk tilbake: {PROCESSOR} fra {CUSTOMER} til FJORD SYSTEMER AS" in page
    form = {"from": CUSTOMER, "to": SUPPLIER, "right": PROCESSOR, "action": "revoke"}
    answer = await press(owner, "delegations", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/_sandbox/")
    assert not await owner.is_delegated(CUSTOMER)
    page = (await owner.http.get("/_sandbox/")).text
    assert f"Gi: {PROCESSOR} fra {CUSTOMER} til FJORD SYSTEMER AS" in page
    await press(owner, "delegations", form | {"action": "grant"})
    assert await owner.is_delegated(CUSTOMER)


async def test_the_page_gives_kari_her_right(owner: ServiceOwner) -> None:
    form = {"from": NO_PERSONS_RIGHT, "to": KARI.name, "right": PERSONS_RIGHT, "action": "grant"}
    await press(owner, "delegations", form)
    assert await owner.decision(person(KARI), NO_PERSONS_RIGHT) == "Permit"


async def test_the_page_shows_requests_and_moves_them_on(owner: ServiceOwner) -> None:
    identifier = await ask(owner)
    for step, status in (("confirm", "Pending"), ("approve", "Approved")):
        page = (await owner.http.get("/_sandbox/")).text
        assert f'value="{step}"' in page
        await press(owner, "requests", {"id": identifier, "step": step})
        (request,) = await owner.control("GET", "/altinn/requests")
        assert request["status"] == status
    page = (await owner.http.get("/_sandbox/")).text
    assert 'name="step"' not in page


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("delegations", {"from": "x", "to": SUPPLIER, "right": PROCESSOR}),
        ("requests", {"id": "x", "step": "approve"}),
        ("requests", {"id": "x", "step": "dance"}),
        ("requests", "%FF=%FF&a=1&a=2"),
    ],
)
async def test_a_button_that_does_nothing_says_so(
    owner: ServiceOwner, path: str, form: dict[str, str] | str
) -> None:
    answer = await press(owner, path, form)
    assert answer.status_code == 400
    assert "Det gikk ikke" in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_only_the_sandbox_s_own_page_has_these_buttons(
    owner: ServiceOwner, headers: dict[str, str]
) -> None:
    answer = await owner.http.post("/_sandbox/page/delegations", data=GIVEN, headers=headers)
    assert answer.status_code == 403
    other = OWN_PAGE | {"Host": "evil.example"}
    answer = await owner.http.post("/_sandbox/page/delegations", data=GIVEN, headers=other)
    assert answer.status_code == 403
    assert not await owner.is_delegated(NOTHING_GIVEN)


async def press(owner: ServiceOwner, path: str, form: dict[str, str] | str) -> Any:
    address = f"/_sandbox/page/{path}"
    if isinstance(form, str):
        return await owner.http.post(address, content=form, headers=OWN_PAGE)
    return await owner.http.post(address, data=form, headers=OWN_PAGE)


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
