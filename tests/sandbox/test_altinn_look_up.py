"""Maskinporten's delegations as Altinn answers for them: ALTINN.md section 2."""

from typing import Any

import pytest

from app.sandbox.numbers import NUMBERS
from tests.sandbox.service_owner import (
    CUSTOMER,
    DECIDE,
    DELEGATIONS,
    LOOK_UP_ADMIN,
    PROCESSOR,
    SCOPE,
    SUPPLIER,
    ServiceOwner,
    bearer,
)

UNKNOWN = "310000124"
BAD = "310000018"
ADMIN: dict[str, Any] = {"token_scope": LOOK_UP_ADMIN}


async def test_a_row_is_spelt_as_altinn_spells_it(owner: ServiceOwner) -> None:
    (row,) = (await owner.delegations()).json()
    assert row.keys() == {
        "consumer_org",
        "supplier_org",
        "delegation_scheme_Id",
        "scopes",
        "created",
        "resourceid",
    }
    assert (row["consumer_org"], row["supplier_org"]) == (CUSTOMER, SUPPLIER)
    assert row["resourceid"] == PROCESSOR


async def test_one_scope_is_asked_for_and_all_of_the_resource_are_named(
    owner: ServiceOwner,
) -> None:
    (row,) = (await owner.delegations(scope=SCOPE)).json()
    (same,) = (await owner.delegations(scope=f"{SCOPE}.les")).json()
    assert row == same
    assert row["scopes"] == [SCOPE, f"{SCOPE}.les"]


async def test_about_half_of_the_rows_have_a_scheme_and_some_no_time(owner: ServiceOwner) -> None:
    for number in NUMBERS.keys() - {"310000213"}:
        await owner.delegations(consumerOrg=number)
    rows = (await owner.delegations(**ADMIN, consumerOrg=None)).json()
    schemes = [row["delegation_scheme_Id"] for row in rows]
    assert None in schemes
    assert any(schemes)
    times = {row["created"] for row in rows}
    assert {None, "2026-03-02T09:14:27.301+00:00"} <= times


@pytest.mark.parametrize(
    "query",
    [
        {"supplierOrg": "310700045"},  # has been given nothing
        {"scope": "nhn:nobody/offers"},
        {"consumerOrg": SUPPLIER},  # to itself
        {"consumerOrg": "310000175"},  # a sub-unit
        {"consumerOrg": "310000132"},  # deleted
        {"consumerOrg": "999977774"},  # outside the series
    ],
)
async def test_where_there_is_nothing_the_list_is_empty(
    owner: ServiceOwner, query: dict[str, str]
) -> None:
    answer = await owner.delegations(**query)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("headers", [{}, bearer("x.y.z")])
async def test_without_a_token_nothing_is_said(
    owner: ServiceOwner, headers: dict[str, str]
) -> None:
    answer = await owner.http.get(DELEGATIONS, headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_token_for_something_else_is_refused_before_all_else(owner: ServiceOwner) -> None:
    answer = await owner.delegations(token_scope=DECIDE, supplierOrg=BAD)
    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        # Each is wrong in what stands in the later rows too.
        ({"scope": None, "supplierOrg": BAD, "consumerOrg": BAD}, 403, "without the scope"),
        ({"scope": "skd:x", "supplierOrg": BAD, "consumerOrg": BAD}, 403, "skd:x"),
        ({"scope": "nhnx:y"}, 403, "nhnx:y"),
        ({"supplierOrg": BAD, "consumerOrg": BAD}, 400, "supplierOrg"),
        ({"supplierOrg": UNKNOWN, "consumerOrg": BAD}, 400, "consumerOrg"),
        ({"supplierOrg": UNKNOWN, "consumerOrg": UNKNOWN}, 400, "supplierOrg"),
        ({"consumerOrg": UNKNOWN}, 400, "consumerOrg"),
    ],
)
async def test_checks_come_in_altinns_order(
    owner: ServiceOwner, query: dict[str, Any], status: int, text: str
) -> None:
    answer = await owner.delegations(**query)
    assert answer.status_code == status
    body = answer.json()
    if status == 403:
        assert text in body["title"]
    else:
        assert list(body["errors"]) == [text]


async def test_nothing_given_is_a_mistake_that_names_what_could_be(owner: ServiceOwner) -> None:
    answer = await owner.delegations(**ADMIN, supplierOrg="", consumerOrg=None, scope=None)
    assert answer.status_code == 400
    for name in ("supplierOrg", "consumerOrg", "scope"):
        assert name in answer.json()["title"]


@pytest.mark.parametrize("number", ["31000001", "3100000190", "31000001a", "٣١٠٠٠٠٠١٩", BAD])
@pytest.mark.parametrize("parameter", ["supplierOrg", "consumerOrg"])
async def test_what_is_no_number_is_said_so(
    owner: ServiceOwner, parameter: str, number: str
) -> None:
    answer = await owner.delegations(**{parameter: number})
    assert answer.status_code == 400
    (message,) = answer.json()["errors"][parameter]
    assert "not a valid organization number" in message
    assert "party" not in message


async def test_a_number_without_a_party_is_told_apart(owner: ServiceOwner) -> None:
    answer = await owner.delegations(consumerOrg=UNKNOWN)
    (message,) = answer.json()["errors"]["consumerOrg"]
    assert "not associated with a valid party" in message


async def test_the_administrator_may_leave_the_scope_out(owner: ServiceOwner) -> None:
    answer = await owner.delegations(**ADMIN, scope=None)
    assert len(answer.json()) == 1
    foreign = await owner.delegations(**ADMIN, scope="skd:x")
    assert (foreign.status_code, foreign.json()) == (200, [])


async def test_a_sweep_finds_all_that_a_supplier_has_been_given(owner: ServiceOwner) -> None:
    await owner.is_delegated("310000302")
    await owner.give("310000183", SUPPLIER)
    rows = (await owner.delegations(**ADMIN, consumerOrg=None, scope=None)).json()
    givers = [row["consumer_org"] for row in rows]
    assert {CUSTOMER, "310000302", "310000183"} <= set(givers)
    assert len(givers) == len(set(givers))
    assert not {"310000132", "310000175", SUPPLIER} & set(givers)


async def test_what_is_given_is_seen_and_what_is_withdrawn_is_not(owner: ServiceOwner) -> None:
    giver = "310000183"
    assert not await owner.is_delegated(giver)
    await owner.give(giver, SUPPLIER)
    assert await owner.is_delegated(giver)
    assert not await owner.is_delegated(giver, "310700037")
    await owner.withdraw(giver, SUPPLIER)
    assert not await owner.is_delegated(giver)


async def test_a_change_is_seen_late_where_altinn_is_slow(owner: ServiceOwner) -> None:
    await owner.set(propagationSeconds=20)
    await owner.withdraw(CUSTOMER, SUPPLIER)
    owner.advance(19)
    assert await owner.is_delegated()
    owner.advance(2)
    assert not await owner.is_delegated()


async def test_an_earlier_answer_is_remembered_for_its_whole_time(owner: ServiceOwner) -> None:
    await owner.set(memorySeconds=300)
    assert await owner.is_delegated()
    await owner.withdraw(CUSTOMER, SUPPLIER)
    owner.advance(290)
    assert await owner.is_delegated()  # and asking again does not lengthen it
    owner.advance(11)
    assert not await owner.is_delegated()


async def test_the_memory_is_of_one_giver_receiver_and_right(owner: ServiceOwner) -> None:
    await owner.set(memorySeconds=300)
    assert await owner.is_delegated()
    await owner.withdraw(CUSTOMER, "310700037")
    assert not await owner.is_delegated(CUSTOMER, "310700037")


@pytest.mark.parametrize(
    ("number", "seconds", "delegated"),
    [
        ("310000183", 0, False),
        ("310000191", 0, True),
        ("310000191", 59, True),
        ("310000191", 61, False),
        ("310000205", 0, False),
        ("310000205", 29, False),
        ("310000205", 31, True),
        ("310000221", 0, False),
    ],
)
async def test_numbers_choose_what_is_given(
    owner: ServiceOwner, number: str, seconds: int, delegated: bool
) -> None:
    owner.advance(10_000)  # the times run from the first look
    await owner.is_delegated(number)
    owner.advance(seconds)
    assert await owner.is_delegated(number) is delegated


async def test_a_person_can_give_again_what_was_withdrawn(owner: ServiceOwner) -> None:
    await owner.is_delegated("310000191")
    owner.advance(61)
    await owner.give("310000191", SUPPLIER)
    assert await owner.is_delegated("310000191")


async def test_for_one_number_altinn_cannot_answer(owner: ServiceOwner) -> None:
    assert (await owner.delegations(consumerOrg="310000213")).status_code == 503
    rows = (await owner.delegations(**ADMIN, consumerOrg=None)).json()
    assert CUSTOMER in [row["consumer_org"] for row in rows]


async def test_a_fault_makes_the_look_up_say_the_opposite(owner: ServiceOwner) -> None:
    await owner.fail({"target": "altinn", "special": "contradiction", "times": 1})
    await owner.headers(LOOK_UP_ADMIN)  # a call of another product does not use it up
    assert not await owner.is_delegated()
    assert await owner.is_delegated()


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ({"special": "problem"}, 500, None),
        ({"status": 429, "retryAfter": 9}, 429, "9"),
        ({"special": "tooManyRequestsDate", "retryAfter": 9}, 429, "GMT"),
        ({"status": 503}, 503, None),
    ],
)
async def test_the_products_fail_as_gateways_do(
    owner: ServiceOwner, fault: dict[str, Any], status: int, header: str | None
) -> None:
    await owner.headers("altinn:maskinporten/delegations")
    await owner.fail({"target": "altinn", **fault})
    answer = await owner.delegations()
    assert answer.status_code == status
    if status == 500:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 500
    if header:
        assert header in answer.headers["retry-after"]


async def test_calls_are_counted_also_when_they_fail(owner: ServiceOwner) -> None:
    await owner.maskinporten_token(LOOK_UP_ADMIN)
    await owner.delegations()
    before = await owner.control("GET", "/altinn/calls")
    assert before["maskinporten"] >= 1
    await owner.fail({"target": "altinn", "status": 503})
    await owner.delegations()
    counts = await owner.control("GET", "/altinn/calls")
    assert before["maskinportenDelegations"] == 1
    assert counts == before | {"maskinportenDelegations": 2}
    await owner.control("DELETE", "/altinn/calls")
    assert not any((await owner.control("GET", "/altinn/calls")).values())
