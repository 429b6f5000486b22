"""Enhetsregisteret's feed of updates, and the control that appends to it."""

from typing import Any

import pytest

from app.sandbox.people import KARI
from tests.sandbox.service_owner import CUSTOMER, SUPPLIER, WORLD, ServiceOwner, person

API = WORLD.enhetsregisteret_url
FEED = f"{API}/oppdateringer/enheter"
SUB_UNITS = f"{API}/oppdateringer/underenheter"
SUB_UNIT = "310000175"


async def feed(owner: ServiceOwner, address: str = FEED, **query: Any) -> Any:
    answer = await owner.http.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def mark(owner: ServiceOwner, number: str, status: str) -> int:
    body = await owner.control("POST", f"/organizations/{number}", {"status": status})
    assert (body["number"], body["status"]) == (number, status)
    return int(body["updateId"])


def numbers_in(body: Any, kind: str = "oppdaterteEnheter") -> list[str]:
    return [row["organisasjonsnummer"] for row in body["_embedded"][kind]]


async def test_an_empty_feed_has_no_rows_member(owner: ServiceOwner) -> None:
    body = await feed(owner)
    assert "_embedded" not in body
    assert body["page"] == {"size": 20, "totalElements": 0, "totalPages": 0, "number": 0}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("deleted", "Sletting"),
        ("merged", "Sletting"),
        ("bankrupt", "Endring"),
        ("removed", "Fjernet"),
        ("live", "Endring"),
    ],
)
async def test_a_row_tells_what_became_of_an_organisation(
    owner: ServiceOwner, status: str, kind: str
) -> None:
    identifier = await mark(owner, CUSTOMER, status)
    (row,) = (await feed(owner))["_embedded"]["oppdaterteEnheter"]
    assert row["dato"].endswith("Z")
    assert row | {"dato": ""} == {
        "oppdateringsid": identifier,
        "dato": "",
        "organisasjonsnummer": CUSTOMER,
        "endringstype": kind,
        "_links": {"enhet": {"href": f"{API}/enheter/{CUSTOMER}"}},
    }


@pytest.mark.parametrize(
    ("status", "answer", "members"),
    [
        ("deleted", 200, {"respons_klasse": "SlettetEnhet"}),
        ("merged", 200, {"respons_klasse": "SlettetEnhet"}),
        ("bankrupt", 200, {"konkurs": True}),
        ("beingWoundUp", 200, {"underAvvikling": True}),
        ("removed", 410, {"organisasjonsnummer": "310000302"}),
        ("removedSilently", 410, {}),
    ],
)
async def test_the_register_answers_accordingly(
    owner: ServiceOwner, status: str, answer: int, members: dict[str, object]
) -> None:
    await mark(owner, "310000302", status)
    got = await owner.http.get(f"{API}/enheter/310000302")
    assert got.status_code == answer
    if members:
        assert got.json().items() >= members.items()
    if status in ("deleted", "merged", "removed"):
        assert got.json()["slettedato"]


async def test_the_etag_changes_with_the_organisation(owner: ServiceOwner) -> None:
    address = f"{API}/enheter/{CUSTOMER}"
    etag = (await owner.http.get(address)).headers["etag"]
    await mark(owner, CUSTOMER, "bankrupt")
    answer = await owner.http.get(address, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    await mark(owner, CUSTOMER, "live")
    answer = await owner.http.get(address, headers={"If-None-Match": etag})
    assert answer.status_code == 304


async def test_sub_units_have_a_feed_of_their_own(owner: ServiceOwner) -> None:
    await mark(owner, SUB_UNIT, "deleted")
    await mark(owner, CUSTOMER, "deleted")
    assert numbers_in(await feed(owner)) == [CUSTOMER]
    below = await feed(owner, SUB_UNITS)
    assert numbers_in(below, "oppdaterteUnderenheter") == [SUB_UNIT]
    (row,) = below["_embedded"]["oppdaterteUnderenheter"]
    assert row["_links"] == {"underenhet": {"href": f"{API}/underenheter/{SUB_UNIT}"}}


async def test_a_cursor_includes_the_row_it_names(owner: ServiceOwner) -> None:
    first = await mark(owner, CUSTOMER, "bankrupt")
    second = await mark(owner, SUPPLIER, "deleted")
    assert first < second
    assert numbers_in(await feed(owner, oppdateringsid=second)) == [SUPPLIER]
    assert "_embedded" not in await feed(owner, oppdateringsid=second + 1)


async def test_a_time_includes_what_happened_then(owner: ServiceOwner) -> None:
    await mark(owner, CUSTOMER, "bankrupt")
    owner.advance(60)
    await mark(owner, SUPPLIER, "deleted")
    rows = (await feed(owner))["_embedded"]["oppdaterteEnheter"]
    since = owner.clock.now().isoformat()
    assert numbers_in(await feed(owner, dato=rows[0]["dato"])) == [CUSTOMER, SUPPLIER]
    assert numbers_in(await feed(owner, dato=rows[1]["dato"])) == [SUPPLIER]
    assert "_embedded" not in await feed(owner, dato=since)
    assert numbers_in(await feed(owner, dato="2020-01-01")) == [CUSTOMER, SUPPLIER]


async def test_pages_lead_to_each_other(owner: ServiceOwner) -> None:
    first = await mark(owner, CUSTOMER, "bankrupt")
    for status in ("live", "deleted"):
        await mark(owner, CUSTOMER, status)
    body = await feed(owner, oppdateringsid=first, size=2)
    assert body["page"] == {"size": 2, "totalElements": 3, "totalPages": 2, "number": 0}
    following = (await owner.http.get(body["_links"]["next"]["href"])).json()
    (row,) = following["_embedded"]["oppdaterteEnheter"]
    assert row["endringstype"] == "Sletting"
    assert "next" not in following["_links"]


async def test_numbers_of_rows_go_on_after_a_reset(owner: ServiceOwner) -> None:
    before = await mark(owner, CUSTOMER, "deleted")
    await owner.http.post("/_sandbox/reset")
    assert "_embedded" not in await feed(owner)
    assert (await owner.http.get(f"{API}/enheter/{CUSTOMER}")).json()["respons_klasse"] == "Enhet"
    assert await mark(owner, CUSTOMER, "deleted") > before


@pytest.mark.parametrize(
    "query", [{"size": "0"}, {"size": "20000"}, {"oppdateringsid": "x"}, {"dato": "yesterday"}]
)
async def test_what_makes_no_sense_is_refused(owner: ServiceOwner, query: dict[str, str]) -> None:
    assert (await owner.http.get(FEED, params=query)).status_code == 400


async def test_the_feed_has_its_own_media_type(owner: ServiceOwner) -> None:
    kind = "application/vnd.brreg.enhetsregisteret.oppdatering.enhet.v1+json"
    answer = await owner.http.get(FEED, headers={"Accept": kind})
    assert answer.headers["content-type"] == f"{kind};charset=UTF-8"
    answer = await owner.http.get(FEED, headers={"Accept": "text/html"})
    assert answer.status_code == 406


async def test_altinn_notices_too(owner: ServiceOwner) -> None:
    assert await owner.is_delegated()
    await mark(owner, CUSTOMER, "merged")
    assert not await owner.is_delegated()
    assert await owner.decision(person(KARI), CUSTOMER) == "NotApplicable"


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        ("310000124", {"status": "deleted"}, 404),
        (CUSTOMER, {"status": "gone"}, 400),
        (CUSTOMER, {}, 400),
    ],
)
async def test_what_cannot_become_of_an_organisation(
    owner: ServiceOwner, number: str, body: dict[str, str], status: int
) -> None:
    answer = await owner.http.post(f"/_sandbox/organizations/{number}", json=body)
    assert answer.status_code == status
