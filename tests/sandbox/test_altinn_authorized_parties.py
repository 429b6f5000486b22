"""Authorized parties: ALTINN.md section 3."""

from typing import Any

import pytest

from app.sandbox.people import KARI, OLA, SYNNE
from tests.sandbox.service_owner import (
    AUTHORIZED_PARTIES,
    CUSTOMER,
    DECIDE,
    GENERIC,
    ORGANIZATION,
    PARTIES,
    PARTIES_ADMIN,
    PERSONS_RIGHT,
    PROCESSOR,
    SUPPLIER,
    ServiceOwner,
    organization,
    person,
)

SUB_UNIT = "310000175"
DELETED = "310000132"


def filtered(subject: dict[str, str], *numbers: str) -> dict[str, Any]:
    return {**subject, "partyFilter": [organization(number) for number in numbers]}


def numbers_of(rows: list[dict[str, Any]]) -> list[str | None]:
    return [row["organizationNumber"] for row in rows]


async def rows_for(owner: ServiceOwner, body: dict[str, Any], **query: Any) -> Any:
    answer = await owner.authorized_parties(body, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_party_has_all_of_altinns_members(owner: ServiceOwner) -> None:
    (row,) = await rows_for(owner, filtered(organization(SUPPLIER), CUSTOMER))
    uuids = (row.pop("partyUuid"), row.pop("partyId"))
    assert all(uuids)
    (sub_unit,) = row.pop("subunits")
    assert row == {
        "name": "FJORDBYEN LEGESENTER AS",
        "organizationNumber": CUSTOMER,
        "parentId": None,
        "personId": None,
        "dateOfBirth": None,
        "emailId": None,
        "type": "Organization",
        "unitType": "AS",
        "isDeleted": False,
        "onlyHierarchyElementWithNoAccess": False,
        "authorizedAccessPackages": [],
        "authorizedResources": [PROCESSOR],
        "authorizedRoles": [],
        "authorizedInstances": [],
    }
    assert sub_unit["organizationNumber"] == SUB_UNIT
    assert (sub_unit["parentId"], sub_unit["unitType"]) == (uuids[0], "BEDR")
    assert sub_unit["authorizedResources"] == [PROCESSOR]


async def test_both_addresses_answer(owner: ServiceOwner) -> None:
    body = filtered(organization(SUPPLIER), CUSTOMER)
    newer = AUTHORIZED_PARTIES.replace("resourceowner", "serviceowner")
    headers = await owner.headers(PARTIES)
    answer = await owner.http.post(newer, json=body, headers=headers)
    assert answer.json() == await rows_for(owner, body)


async def test_the_filter_says_which_and_unknown_ones_are_passed_over(
    owner: ServiceOwner,
) -> None:
    body = filtered(person(KARI), "310000302", "310000124", CUSTOMER)
    assert numbers_of(await rows_for(owner, body)) == [CUSTOMER, "310000302"]
    assert await rows_for(owner, filtered(person(KARI), "310000124")) == []


async def test_without_a_filter_a_person_is_there_himself(owner: ServiceOwner) -> None:
    rows = await rows_for(owner, person(KARI))
    assert (rows[0]["type"], rows[0]["personId"]) == ("Person", KARI.pid)
    assert {CUSTOMER, SUPPLIER} <= set(numbers_of(rows))
    assert "310000035" not in numbers_of(rows)
    with_right = await rows_for(owner, person(KARI), anyOfResourceIds=PERSONS_RIGHT)
    assert {row["type"] for row in with_right} == {"Organization"}


async def test_a_sub_unit_brings_its_main_unit_as_a_heading(owner: ServiceOwner) -> None:
    await owner.give(SUB_UNIT, SUPPLIER, GENERIC)
    body = filtered(organization(SUPPLIER), SUB_UNIT)
    (row,) = await rows_for(owner, body, anyOfResourceIds=GENERIC)
    assert row["organizationNumber"] == CUSTOMER
    assert row["onlyHierarchyElementWithNoAccess"]
    assert row["authorizedResources"] == []
    (sub_unit,) = row["subunits"]
    assert sub_unit["authorizedResources"] == [GENERIC]
    assert not sub_unit["onlyHierarchyElementWithNoAccess"]


async def test_sub_units_can_be_left_out(owner: ServiceOwner) -> None:
    body = filtered(organization(SUPPLIER), CUSTOMER)
    (row,) = await rows_for(owner, body, includeSubParties="false")
    assert row["subunits"] == []


async def test_only_parties_with_one_of_the_resources_are_listed(owner: ServiceOwner) -> None:
    body = filtered(person(KARI), CUSTOMER)
    (row,) = await rows_for(owner, body, anyOfResourceIds=[PERSONS_RIGHT, "nobody-knows"])
    assert row["authorizedResources"] == [PERSONS_RIGHT]
    assert await rows_for(owner, body, anyOfResourceIds=GENERIC) == []
    assert await rows_for(owner, filtered(person(OLA), CUSTOMER), anyOfResourceIds=[GENERIC]) == []


async def test_roles_and_packages_are_not_told_again_as_resources(owner: ServiceOwner) -> None:
    body = filtered(person(SYNNE), CUSTOMER)
    (row,) = await rows_for(owner, body)
    assert (row["authorizedRoles"], row["authorizedResources"]) == (["HADM"], [])
    assert row["authorizedAccessPackages"] == []
    (row,) = await rows_for(owner, body, includeRoles="false", includeAccessPackages="true")
    assert (row["authorizedRoles"], row["authorizedAccessPackages"]) == (
        [],
        ["hovedadministrator"],
    )
    assert await rows_for(owner, body, anyOfResourceIds=PERSONS_RIGHT) == []


async def test_resources_can_be_left_out(owner: ServiceOwner) -> None:
    body = filtered(person(KARI), CUSTOMER)
    (row,) = await rows_for(owner, body, includeResources="false")
    assert row["authorizedResources"] == []


async def test_a_deleted_organisation_is_listed_as_such(owner: ServiceOwner) -> None:
    body = filtered(person(KARI), DELETED)
    (row,) = await rows_for(owner, body)
    assert row["isDeleted"]
    assert await rows_for(owner, body, includeInactiveParties="false") == []


async def test_only_the_administrator_sees_the_resources_of_others(owner: ServiceOwner) -> None:
    body = filtered(person(KARI), CUSTOMER)
    (own,) = await rows_for(owner, body)
    (every,) = await rows_for(owner, body, scope=PARTIES_ADMIN)
    (narrowed,) = await rows_for(owner, body, scope=PARTIES_ADMIN, orgCode="nhn")
    assert own["authorizedResources"] == narrowed["authorizedResources"] == [PERSONS_RIGHT]
    assert every["authorizedResources"] == [PERSONS_RIGHT, "skd-innsyn"]


async def test_another_owners_code_is_refused(owner: ServiceOwner) -> None:
    answer = await owner.authorized_parties(person(KARI), orgCode="skd")
    assert answer.status_code == 400
    (error,) = answer.json()["validationErrors"]
    assert error["paths"] == ["$QUERY/orgCode"]


@pytest.mark.parametrize("kind", ["urn:altinn:nobody", ORGANIZATION.upper()])
async def test_a_subject_of_an_unknown_type_is_refused(owner: ServiceOwner, kind: str) -> None:
    answer = await owner.authorized_parties({"type": kind, "value": SUPPLIER})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert (body["code"], body["status"]) == ("STD-00000", 400)
    assert body["type"] == "urn:altinn:error:STD-00000"
    assert body["validationErrors"][0]["paths"] == ["/type"]


async def test_what_is_no_body_is_refused(owner: ServiceOwner) -> None:
    headers = await owner.headers(PARTIES)
    answer = await owner.http.post(AUTHORIZED_PARTIES, content=b"{", headers=headers)
    assert answer.status_code == 400


async def test_a_subject_can_be_named_by_the_key_of_an_earlier_answer(
    owner: ServiceOwner,
) -> None:
    (self_row, *_) = await rows_for(owner, person(KARI))
    by_uuid = {"type": "urn:altinn:party:uuid", "value": self_row["partyUuid"]}
    by_id = {"type": "urn:altinn:partyid", "value": str(self_row["partyId"])}
    for subject in (by_uuid, by_id):
        assert len(await rows_for(owner, filtered(subject, CUSTOMER))) == 1


async def test_a_stranger_has_nothing(owner: ServiceOwner) -> None:
    stranger = {"type": "urn:altinn:person:identifier-no", "value": "01857510190"}
    assert await rows_for(owner, stranger) == []


async def test_who_has_never_logged_in_gets_an_empty_list(owner: ServiceOwner) -> None:
    await owner.set(neverLoggedIn=["Kari Nordmann"])
    assert await rows_for(owner, filtered(person(KARI), CUSTOMER)) == []
    assert len(await rows_for(owner, person(OLA))) > 1
    assert await owner.decision(person(KARI), CUSTOMER) == "Permit"


async def test_a_fault_makes_a_person_a_stranger_once(owner: ServiceOwner) -> None:
    await owner.fail({"target": "altinn", "special": "neverLoggedIn", "times": 1})
    assert await rows_for(owner, person(KARI)) == []
    assert await rows_for(owner, person(KARI)) != []


async def test_the_numbers_that_are_something_special(owner: ServiceOwner) -> None:
    supplier = organization(SUPPLIER)
    assert len(await rows_for(owner, filtered(supplier, "310000221"))) == 1
    assert await rows_for(owner, filtered(supplier, "310000183")) == []
    answer = await owner.authorized_parties(filtered(supplier, "310000213"))
    assert answer.status_code == 503
    assert len(await rows_for(owner, filtered(person(KARI), "310000213"))) == 1
    assert numbers_of(await rows_for(owner, supplier))


async def test_it_remembers_its_own_earlier_answers(owner: ServiceOwner) -> None:
    await owner.set(memorySeconds=300)
    body = filtered(organization(SUPPLIER), CUSTOMER)
    assert len(await rows_for(owner, body)) == 1
    await owner.withdraw(CUSTOMER, SUPPLIER)
    assert len(await rows_for(owner, body)) == 1
    owner.advance(301)
    assert await rows_for(owner, body) == []


async def test_who_may_ask(owner: ServiceOwner) -> None:
    right = await owner.headers(PARTIES)
    statuses = []
    for headers in (
        right,
        {},
        {"Authorization": right["Authorization"]},
        await owner.headers(DECIDE),
    ):
        answer = await owner.http.post(AUTHORIZED_PARTIES, json=person(KARI), headers=headers)
        assert answer.status_code == 200 or answer.content == b""
        statuses.append(answer.status_code)
    assert statuses == [200, 401, 401, 403]
