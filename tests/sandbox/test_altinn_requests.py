"""Delegation requests by the service owner: ALTINN.md section 5."""

from typing import Any
from uuid import uuid4

import pytest

from app.sandbox.people import KARI, OLA
from tests.sandbox.service_owner import (
    ALTINN,
    CUSTOMER,
    DECIDE,
    GENERIC,
    ORGANIZATION,
    PERSON,
    PERSONS_RIGHT,
    PROCESSOR,
    READ,
    SUPPLIER,
    WORLD,
    WRITE,
    ServiceOwner,
    organization,
    person,
)

REQUESTS = f"{ALTINN}/accessmanagement/api/v1/serviceowner/delegationrequests"
GIVER = f"{ORGANIZATION}:{CUSTOMER}"
WANTS = f"{ORGANIZATION}:{SUPPLIER}"
ASKED = {"from": WANTS, "to": GIVER, "resource": GENERIC, "rightKeys": None}


async def post(owner: ServiceOwner, body: Any, path: str = "/resource") -> Any:
    return await owner.http.post(f"{REQUESTS}{path}", json=body, headers=await owner.headers(WRITE))


async def asked(owner: ServiceOwner, **changes: str) -> dict[str, Any]:
    answer = await post(owner, ASKED | changes)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def status_of(owner: ServiceOwner, identifier: str) -> Any:
    address = f"{REQUESTS}/{identifier}/status"
    return await owner.http.get(address, headers=await owner.headers(READ))


async def withdraw(owner: ServiceOwner, identifier: str) -> Any:
    address = f"{REQUESTS}/{identifier}/withdraw"
    return await owner.http.put(address, headers=await owner.headers(WRITE))


async def press(owner: ServiceOwner, identifier: str, *steps: str) -> None:
    for step in steps:
        await owner.control("POST", f"/altinn/requests/{identifier}/{step}")


def code_of(answer: Any) -> tuple[str, list[str]]:
    assert answer.status_code == 400, answer.text
    errors = answer.json()["validationErrors"]
    return errors[0]["code"], [path for error in errors for path in error["paths"]]


async def test_what_is_asked_for_is_a_draft_with_its_links(owner: ServiceOwner) -> None:
    body = await asked(owner)
    identifier = body["id"]
    assert (body["status"], body["type"]) == ("Draft", "resource")
    assert body["resource"]["referenceId"] == GENERIC
    assert (body["package"], body["lastUpdatedBy"]) == (None, None)
    assert body["links"] == {
        "detailsLink": f"{WORLD.altinn_pages_url}/requests/resource?requestId={identifier}",
        "statusLink": f"{REQUESTS}/{identifier}/status",
    }
    assert body["from"]["organizationIdentifier"] == SUPPLIER
    assert body["to"] | {"id": ""} == {
        "id": "",
        "name": "FJORDBYEN LEGESENTER AS",
        "type": "Organisasjon",
        "variant": "AS",
        "organizationIdentifier": CUSTOMER,
        "personIdentifier": None,
    }
    assert body["by"]["organizationIdentifier"] == "994598759"


async def test_a_person_can_be_who_wants_it(owner: ServiceOwner) -> None:
    body = await asked(owner, **{"from": f"{PERSON}:{OLA.pid}", "resource": PERSONS_RIGHT})
    assert (body["from"]["personIdentifier"], body["from"]["type"]) == (OLA.pid, "Person")
    await press(owner, body["id"], "confirm", "approve")
    assert await owner.decision(person(OLA), CUSTOMER) == "Permit"


async def test_the_other_address_reads_giver_and_receiver_the_other_way_round(
    owner: ServiceOwner,
) -> None:
    first = await asked(owner)
    swapped = {"from": GIVER, "to": WANTS, "resource": {"referenceId": GENERIC}}
    same = await post(owner, swapped, "/")
    assert same.status_code == 202
    assert same.json() == first
    by_id = {"from": GIVER, "to": WANTS, "resource": {"id": first["resource"]["id"]}}
    assert (await post(owner, by_id, "/")).json() == first
    straight = swapped | {"from": WANTS, "to": GIVER}
    assert (await post(owner, straight, "/")).json()["to"]["organizationIdentifier"] == SUPPLIER


async def test_a_status_is_a_bare_string_and_anybody_may_read_it(owner: ServiceOwner) -> None:
    body = await asked(owner)
    answer = await owner.http.get(body["links"]["statusLink"], headers=await owner.headers(READ))
    assert answer.text == '"Draft"'
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([], "Draft"),
        (["confirm"], "Pending"),
        (["confirm", "approve"], "Approved"),
        (["confirm", "reject"], "Rejected"),
    ],
)
async def test_people_move_it_on(owner: ServiceOwner, steps: list[str], status: str) -> None:
    identifier = (await asked(owner))["id"]
    await press(owner, identifier, *steps)
    assert (await status_of(owner, identifier)).json() == status


@pytest.mark.parametrize(
    ("steps", "impossible"),
    [
        ([], ["approve", "reject"]),
        (["confirm"], ["confirm"]),
        (["confirm", "approve"], ["confirm", "approve", "reject"]),
        (["confirm", "reject"], ["confirm", "approve", "reject"]),
    ],
)
async def test_no_other_step_is_possible(
    owner: ServiceOwner, steps: list[str], impossible: list[str]
) -> None:
    identifier = (await asked(owner))["id"]
    await press(owner, identifier, *steps)
    before = (await status_of(owner, identifier)).json()
    for step in impossible:
        answer = await owner.http.post(f"/_sandbox/altinn/requests/{identifier}/{step}")
        assert answer.status_code == 409
    assert (await status_of(owner, identifier)).json() == before


@pytest.mark.parametrize(
    ("steps", "possible"),
    [
        ([], True),
        (["confirm"], True),
        (["confirm", "approve"], False),
        (["confirm", "reject"], False),
    ],
)
async def test_only_what_is_open_is_withdrawn(
    owner: ServiceOwner, steps: list[str], possible: bool
) -> None:
    identifier = (await asked(owner))["id"]
    await press(owner, identifier, *steps)
    answer = await withdraw(owner, identifier)
    if possible:
        assert (answer.status_code, answer.json()["status"]) == (200, "Withdrawn")
        answer = await withdraw(owner, identifier)
    assert code_of(answer)[0] == "AM.VLD-00036"


async def test_only_who_created_it_withdraws_it(owner: ServiceOwner) -> None:
    identifier = (await asked(owner))["id"]
    stranger = await owner.strangers_headers()
    address = f"{REQUESTS}/{identifier}"
    answer = await owner.http.put(f"{address}/withdraw", headers=stranger)
    assert code_of(answer)[0] == "AM.VLD-00044"
    assert (await owner.http.get(f"{address}/status", headers=stranger)).json() == "Draft"


async def test_the_same_draft_is_answered_again_but_not_what_has_come_further(
    owner: ServiceOwner,
) -> None:
    first = await asked(owner)
    assert await asked(owner) == first
    await press(owner, first["id"], "confirm")
    second = await asked(owner)
    assert second["id"] != first["id"]
    assert (await status_of(owner, first["id"])).json() == "Pending"
    assert (await status_of(owner, second["id"])).json() == "Draft"
    assert (await asked(owner))["id"] == second["id"]


async def test_another_right_or_party_is_another_request(owner: ServiceOwner) -> None:
    first = await asked(owner)
    other = await asked(owner, resource=PERSONS_RIGHT)
    another = await asked(owner, to=f"{ORGANIZATION}:310000302")
    assert len({first["id"], other["id"], another["id"]}) == 3


async def test_an_approval_gives_the_right_as_late_as_altinn_is_slow(owner: ServiceOwner) -> None:
    await owner.set(propagationSeconds=60)
    identifier = (await asked(owner))["id"]
    await press(owner, identifier, "confirm", "approve")
    supplier = organization(SUPPLIER)
    assert await owner.decision(supplier, CUSTOMER, GENERIC) == "NotApplicable"
    owner.advance(61)
    assert await owner.decision(supplier, CUSTOMER, GENERIC) == "Permit"


async def test_an_approval_can_fail_late_and_the_request_waits_on(owner: ServiceOwner) -> None:
    await owner.set(approvalFails=True)
    identifier = (await asked(owner))["id"]
    await press(owner, identifier, "confirm")
    address = f"/_sandbox/altinn/requests/{identifier}/approve"
    assert (await owner.http.post(address)).status_code == 409
    assert (await status_of(owner, identifier)).json() == "Pending"
    assert await owner.decision(organization(SUPPLIER), CUSTOMER, GENERIC) == "NotApplicable"
    await owner.set()
    assert (await owner.http.post(address)).status_code == 200


async def test_mails_go_out_a_quarter_of_an_hour_later(owner: ServiceOwner) -> None:
    identifier = (await asked(owner))["id"]
    assert await owner.control("GET", "/altinn/notices") == []
    await press(owner, identifier, "confirm", "reject")
    notices = await owner.control("GET", "/altinn/notices")
    assert [(one["to"], one["status"]) for one in notices] == [
        (CUSTOMER, "Pending"),
        (SUPPLIER, "Rejected"),
    ]
    (listed,) = await owner.control("GET", "/altinn/requests")
    assert notices[1]["sentAt"] > listed["lastUpdated"]


BAD = "urn:altinn:org:1"
NOBODY = f"{ORGANIZATION}:310000124"


@pytest.mark.parametrize(
    ("changes", "code", "paths"),
    [
        ({"from": BAD, "to": BAD, "resource": "x"}, "AMSO.VLD-00001", ["/from", "/to"]),
        ({"to": f"{ORGANIZATION}:31000001"}, "AMSO.VLD-00001", ["/to"]),
        ({"from": BAD, "to": NOBODY}, "AMSO.VLD-00001", ["/from"]),
        ({"from": NOBODY, "to": NOBODY, "resource": "x"}, "AMSO.VLD-00002", ["/from", "/to"]),
        ({"from": f"{PERSON}:01857510190"}, "AMSO.VLD-00002", ["/from"]),
        ({"to": WANTS, "resource": "x"}, "AMSO.VLD-00003", ["/resource"]),
        ({"to": WANTS, "resource": "skd-innsyn"}, "AMSO.VLD-00006", ["/resource"]),
        ({"to": WANTS, "resource": PROCESSOR}, "AM.VLD-00045", ["/from"]),
        ({"resource": PROCESSOR}, "AM.VLD-00049", ["/resource"]),
    ],
)
async def test_what_cannot_be_asked_for(
    owner: ServiceOwner, changes: dict[str, str], code: str, paths: list[str]
) -> None:
    assert code_of(await post(owner, ASKED | changes)) == (code, paths)


async def test_a_bad_urn_is_shown(owner: ServiceOwner) -> None:
    error = (await post(owner, ASKED | {"from": BAD})).json()["validationErrors"][0]
    assert (error["title"], error["from"]) == ("Invalid URN", f"Urn {BAD} is not valid")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "AM.VLD-00038"),
        ({"resource": {"referenceId": GENERIC}, "package": {"id": "x"}}, "AM.VLD-00046"),
        ({"package": {"id": "x"}}, "AMSO.VLD-00004"),
        ({"resource": {"id": str(uuid4())}}, "AMSO.VLD-00003"),
    ],
)
async def test_exactly_one_of_resource_and_package(
    owner: ServiceOwner, members: dict[str, Any], code: str
) -> None:
    body = {"from": GIVER, "to": WANTS} | members
    assert code_of(await post(owner, body, "/"))[0] == code


async def test_there_are_no_packages(owner: ServiceOwner) -> None:
    assert code_of(await post(owner, {}, "/package"))[0] == "AMSO.VLD-00004"


@pytest.mark.parametrize("path", ["/", "/resource"])
async def test_what_is_no_body_is_refused(owner: ServiceOwner, path: str) -> None:
    assert code_of(await post(owner, [1], path))[0] == "STD.VLD-00001"


async def test_a_request_that_nobody_made_is_unknown(owner: ServiceOwner) -> None:
    answer = await status_of(owner, str(uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (404, "AM-00031")
    assert code_of(await withdraw(owner, str(uuid4())))[0] == "AM.VLD-00035"
    for path in (f"{uuid4()}/approve", "x/dance"):
        assert (await owner.http.post(f"/_sandbox/altinn/requests/{path}")).status_code == 404


async def test_the_names_that_parties_have(owner: ServiceOwner) -> None:
    answer = await owner.http.get(f"{REQUESTS}/_meta/urns/party", headers=await owner.headers(READ))
    assert answer.json() == [PERSON, ORGANIZATION]


async def test_a_feature_that_is_off_is_not_there_at_all(owner: ServiceOwner) -> None:
    identifier = (await asked(owner))["id"]
    await owner.set(featureOff=True)
    for answer in (
        await post(owner, ASKED),
        await post(owner, ASKED, "/"),
        await status_of(owner, identifier),
        await withdraw(owner, identifier),
    ):
        assert (answer.status_code, answer.content) == (404, b"")
    assert await owner.decision(person(KARI), CUSTOMER) == "Permit"


async def test_reading_and_writing_are_two_scopes(owner: ServiceOwner) -> None:
    identifier = (await asked(owner))["id"]
    for scope, status in ((READ, 403), (DECIDE, 403)):
        headers = await owner.headers(scope)
        answer = await owner.http.post(f"{REQUESTS}/resource", json=ASKED, headers=headers)
        assert (answer.status_code, answer.content) == (status, b"")
    answer = await owner.http.get(
        f"{REQUESTS}/{identifier}/status", headers=await owner.headers(WRITE)
    )
    assert answer.status_code == 403
    assert (await owner.http.post(f"{REQUESTS}/resource", json=ASKED)).status_code == 401


async def test_one_number_cannot_be_asked_about(owner: ServiceOwner) -> None:
    out_of_order = f"{ORGANIZATION}:310000213"
    assert (await post(owner, ASKED | {"to": out_of_order})).status_code == 503
    asked_by_person = {"from": f"{PERSON}:{OLA.pid}", "to": out_of_order}
    answer = await post(owner, ASKED | asked_by_person | {"resource": PERSONS_RIGHT})
    assert answer.status_code == 202
