"""The policy decision point: ALTINN.md section 4."""

from typing import Any

import pytest

from app.sandbox.people import KARI, OLA, SYNNE, Person
from tests.sandbox.service_owner import (
    AUTHORIZE,
    CUSTOMER,
    DECIDE,
    GENERIC,
    LOOK_UP,
    ORGANIZATION,
    PERSON,
    PERSONS_RIGHT,
    PROCESSOR,
    SUPPLIER,
    ServiceOwner,
    action_part,
    one_check,
    organization,
    person,
    resource_part,
    subject_part,
)

OK = "urn:oasis:names:tc:xacml:1.0:status:ok"
SYNTAX = "urn:oasis:names:tc:xacml:1.0:status:syntax-error"
PROCESSING = "urn:oasis:names:tc:xacml:1.0:status:processing-error"


def two_checks() -> dict[str, Any]:
    """Organisation to organisation, and organisation to person, for two givers."""
    return {
        "Request": {
            "ReturnPolicyIdList": False,
            "AccessSubject": [
                subject_part("s1", organization(SUPPLIER)),
                subject_part("s2", person(OLA)),
                subject_part("s3", person(KARI)),
            ],
            "Action": [action_part()],
            "Resource": [
                resource_part("r1", CUSTOMER, PROCESSOR),
                resource_part("r2", CUSTOMER, PERSONS_RIGHT),
                resource_part("r3", "310000035", PERSONS_RIGHT),
            ],
            "MultiRequests": {
                "RequestReference": [
                    {"ReferenceId": ["s2", "a1", "r2"]},
                    {"ReferenceId": ["s1", "a1", "r1"]},
                    {"ReferenceId": ["s3", "a1", "r3"]},
                    {"ReferenceId": ["s3", "a1", "r2"]},
                ]
            },
        }
    }


async def test_answers_come_in_the_order_of_the_references(owner: ServiceOwner) -> None:
    results = (await owner.authorize(two_checks())).json()["Response"]
    decisions = [result["Decision"] for result in results]
    assert decisions == ["NotApplicable", "Permit", "NotApplicable", "Permit"]


async def test_what_was_marked_is_echoed(owner: ServiceOwner) -> None:
    results = (await owner.authorize(two_checks())).json()["Response"]
    assert results[1]["Category"] == [
        {
            "CategoryId": "urn:oasis:names:tc:xacml:3.0:attribute-category:resource",
            "Attribute": [{"AttributeId": "urn:altinn:resource", "Value": PROCESSOR}],
        }
    ]
    body = one_check(person(KARI), CUSTOMER)
    del body["Request"]["Resource"][0]["Attribute"][0]["IncludeInResult"]
    (result,) = (await owner.authorize(body)).json()["Response"]
    assert "Category" not in result


async def test_a_yes_comes_with_the_level_of_login_it_needs(owner: ServiceOwner) -> None:
    results = (await owner.authorize(two_checks())).json()["Response"]
    (obligation,) = results[1]["Obligations"]
    (assignment,) = obligation["attributeAssignment"]
    assert assignment["category"] == "urn:altinn:minimum-authenticationlevel"
    assert assignment["value"] == "3"
    assert "Obligations" not in results[0]
    assert results[0]["Status"]["StatusCode"]["Value"] == OK


async def test_one_reference_alone_counts_for_nothing(owner: ServiceOwner) -> None:
    body = two_checks()
    references = body["Request"]["MultiRequests"]["RequestReference"]
    del references[1:]
    (result,) = (await owner.authorize(body)).json()["Response"]
    # All subjects are then one subject, and they conflict.
    assert result["Decision"] == "Indeterminate"


@pytest.mark.parametrize(
    ("who", "number", "decision"),
    [
        (KARI, CUSTOMER, "Permit"),
        (KARI, "310000175", "Permit"),
        (KARI, "310000302", "Permit"),
        (KARI, "310000213", "Permit"),
        (KARI, "310000221", "Permit"),
        (KARI, "310000035", "NotApplicable"),
        (KARI, "310000124", "NotApplicable"),
        (KARI, "310000132", "NotApplicable"),
        (OLA, CUSTOMER, "NotApplicable"),
        (SYNNE, CUSTOMER, "NotApplicable"),
    ],
)
async def test_the_persons_right_is_kari_s_nearly_everywhere(
    owner: ServiceOwner, who: Person, number: str, decision: str
) -> None:
    assert await owner.decision(person(who), number) == decision


async def test_synne_gives_herself_the_right(owner: ServiceOwner) -> None:
    await owner.give(CUSTOMER, "Synne Leder", PERSONS_RIGHT)
    assert await owner.decision(person(SYNNE), CUSTOMER) == "Permit"
    await owner.withdraw(CUSTOMER, "synne", PERSONS_RIGHT)
    assert await owner.decision(person(SYNNE), CUSTOMER) == "NotApplicable"


async def test_a_right_between_organisations_is_for_the_one_it_was_given(
    owner: ServiceOwner,
) -> None:
    supplier = organization(SUPPLIER)
    assert await owner.decision(supplier, CUSTOMER, GENERIC) == "NotApplicable"
    await owner.give(CUSTOMER, SUPPLIER, GENERIC)
    assert await owner.decision(supplier, CUSTOMER, GENERIC) == "Permit"
    assert await owner.decision(organization("310700037"), CUSTOMER, GENERIC) == "NotApplicable"
    assert await owner.decision(person(OLA), CUSTOMER, GENERIC) == "NotApplicable"


async def test_the_old_name_of_an_organisation_still_counts(owner: ServiceOwner) -> None:
    subject = {"type": "urn:altinn:organizationnumber", "value": SUPPLIER}
    assert await owner.decision(subject, CUSTOMER, PROCESSOR) == "Permit"


async def test_what_a_main_unit_gave_counts_for_its_sub_unit(owner: ServiceOwner) -> None:
    supplier = organization(SUPPLIER)
    assert await owner.decision(supplier, "310000175", PROCESSOR) == "Permit"
    await owner.give("310000175", SUPPLIER, GENERIC)
    assert await owner.decision(supplier, "310000175", GENERIC) == "Permit"
    assert await owner.decision(supplier, CUSTOMER, GENERIC) == "NotApplicable"


async def test_another_action_is_not_allowed_by_this_right(owner: ServiceOwner) -> None:
    body = one_check(person(KARI), CUSTOMER)
    body["Request"]["Action"] = [action_part("delete")]
    (result,) = (await owner.authorize(body)).json()["Response"]
    assert result["Decision"] == "NotApplicable"


def request_of(subject: list[dict[str, Any]], **resource: str) -> dict[str, Any]:
    named = {"urn:altinn:resource": PERSONS_RIGHT, ORGANIZATION: CUSTOMER} | resource
    parts = [{"AttributeId": name, "Value": value} for name, value in named.items() if value]
    return {
        "Request": {
            "AccessSubject": [{"Attribute": subject}],
            "Action": [action_part()],
            "Resource": [{"Attribute": parts}],
        }
    }


KARI_S = {"AttributeId": PERSON, "Value": KARI.pid}
SUPPLIER_S = {"AttributeId": ORGANIZATION, "Value": SUPPLIER}
SYSTEM_USER = {"AttributeId": "urn:altinn:systemuser:uuid", "Value": "a"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (request_of([KARI_S, SUPPLIER_S]), "conflict"),
        (request_of([SYSTEM_USER, SUPPLIER_S]), "conflict"),
        (request_of([{"AttributeId": PERSON, "Value": "123"}]), "invalid"),
        (request_of([]), "subject is missing"),
        (request_of([KARI_S], **{ORGANIZATION: ""}), "party of the resource"),
        (request_of([KARI_S], **{"urn:altinn:resource": "nobody-knows"}), "Policy not found"),
    ],
)
async def test_an_impossible_argument_is_an_error_that_looks_like_an_answer(
    owner: ServiceOwner, body: dict[str, Any], text: str
) -> None:
    answer = await owner.authorize(body)
    assert answer.status_code == 200
    (result,) = answer.json()["Response"]
    assert result["Decision"] == "Indeterminate"
    assert result["Status"]["StatusCode"]["Value"] == PROCESSING
    assert text in result["Status"]["StatusMessage"]


async def test_one_impossible_check_spoils_all_of_them(owner: ServiceOwner) -> None:
    body = two_checks()
    body["Request"]["Resource"][2] = resource_part("r3", CUSTOMER, "nobody-knows")
    (result,) = (await owner.authorize(body)).json()["Response"]
    assert result["Decision"] == "Indeterminate"


async def test_a_system_user_alone_is_allowed_nothing(owner: ServiceOwner) -> None:
    (result,) = (await owner.authorize(request_of([SYSTEM_USER]))).json()["Response"]
    assert result["Decision"] == "NotApplicable"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Request": {}}', b"\xff"])
async def test_what_is_not_of_the_grammar_is_a_syntax_error(
    owner: ServiceOwner, body: bytes
) -> None:
    answer = await owner.authorize(body)
    assert answer.status_code == 200
    (result,) = answer.json()["Response"]
    assert result["Decision"] == "Indeterminate"
    assert result["Status"]["StatusCode"]["Value"] == SYNTAX


async def test_an_access_list_turns_yes_into_deny(owner: ServiceOwner) -> None:
    await owner.set(accessList=True)
    results = (await owner.authorize(two_checks())).json()["Response"]
    assert [result["Decision"] for result in results] == [
        "NotApplicable",
        "Deny",
        "NotApplicable",
        "Deny",
    ]
    assert "access list" in results[1]["Status"]["StatusMessage"].lower()
    assert "Obligations" not in results[1]


@pytest.mark.parametrize(
    ("special", "decisions"),
    [
        ("swallowedException", ["NotApplicable"] * 4),
        ("wrongCount", ["NotApplicable", "Permit", "NotApplicable"]),
        ("indeterminate", ["Indeterminate"]),
    ],
)
async def test_altinns_own_failures(
    owner: ServiceOwner, special: str, decisions: list[str]
) -> None:
    await owner.fail({"target": "altinn", "special": special, "times": 1})
    await owner.delegations()  # another product is left alone
    answer = await owner.authorize(two_checks())
    assert answer.status_code == 200
    assert [result["Decision"] for result in answer.json()["Response"]] == decisions
    after = (await owner.authorize(two_checks())).json()["Response"]
    assert [result["Decision"] for result in after].count("Permit") == 2


async def test_earlier_answers_are_remembered_apart_from_other_products(
    owner: ServiceOwner,
) -> None:
    await owner.set(memorySeconds=300)
    supplier = organization(SUPPLIER)
    assert await owner.decision(supplier, CUSTOMER, PROCESSOR) == "Permit"
    await owner.withdraw(CUSTOMER, SUPPLIER)
    assert not await owner.is_delegated()
    assert await owner.decision(supplier, CUSTOMER, PROCESSOR) == "Permit"
    owner.advance(301)
    assert await owner.decision(supplier, CUSTOMER, PROCESSOR) == "NotApplicable"


async def test_a_no_is_remembered_like_a_yes(owner: ServiceOwner) -> None:
    await owner.set(memorySeconds=300)
    assert await owner.decision(person(KARI), "310000035") == "NotApplicable"
    await owner.give("310000035", KARI.name, PERSONS_RIGHT)
    assert await owner.decision(person(KARI), "310000035") == "NotApplicable"
    owner.advance(301)
    assert await owner.decision(person(KARI), "310000035") == "Permit"


async def test_one_number_is_answered_by_the_gateway_alone(owner: ServiceOwner) -> None:
    answer = await owner.authorize(one_check(organization(SUPPLIER), "310000213", PROCESSOR))
    assert answer.status_code == 503


async def test_answers_for_one_number_contradict_each_other(owner: ServiceOwner) -> None:
    number, supplier = "310000221", organization(SUPPLIER)
    assert not await owner.is_delegated(number)
    assert await owner.decision(supplier, number, PROCESSOR) == "Permit"
    await owner.withdraw(number, SUPPLIER)
    assert await owner.is_delegated(number)
    assert await owner.decision(supplier, number, PROCESSOR) == "NotApplicable"


async def test_who_may_ask(owner: ServiceOwner) -> None:
    body = one_check(person(KARI), CUSTOMER)
    right = await owner.headers(DECIDE)
    wrong = await owner.headers(LOOK_UP)
    maskinportens = {**right, "Authorization": f"Bearer {await owner.maskinporten_token(DECIDE)}"}
    keyless = {"Authorization": right["Authorization"]}
    other_key = right | {"Ocp-Apim-Subscription-Key": "another"}
    statuses = []
    for headers in (right, wrong, maskinportens, keyless, other_key):
        answer = await owner.http.post(AUTHORIZE, json=body, headers=headers)
        assert answer.status_code == 200 or answer.content == b""
        statuses.append(answer.status_code)
    assert statuses == [200, 403, 401, 401, 401]
