import httpx2
import pytest

from app.sandbox.enhetsregisteret.organizations import TABLE, has_valid_check_digit
from tests.sandbox.installer import NEIGHBOURS

API = NEIGHBOURS.enhetsregisteret_url
V2 = "application/vnd.brreg.enhetsregisteret.enhet.v2+json"
V2_SUB = "application/vnd.brreg.enhetsregisteret.underenhet.v2+json"

# From public examples; the register itself could not hold them.
ODD = {"999977775", "999977776", "312232326", "314159265"}


@pytest.mark.parametrize(
    ("number", "status", "members"),
    [
        ("310000019", 200, {"respons_klasse": "Enhet", "navn": "FJORDBYEN LEGESENTER AS"}),
        ("310700029", 200, {"navn": "FJORD SYSTEMER AS"}),
        ("310700037", 200, {"navn": "VARDE TEKNOLOGI AS"}),
        ("310000132", 200, {"respons_klasse": "SlettetEnhet", "slettedato": "2025-03-14"}),
        ("310900044", 200, {"respons_klasse": "Enhet", "konkurs": True}),
        ("310900052", 200, {"konkurs": False, "underAvvikling": True}),
        ("310900060", 200, {"respons_klasse": "Enhet", "konkurs": False}),
        ("310900079", 200, {"overordnetEnhet": "310900060"}),
        ("310900028", 410, {"organisasjonsnummer": "310900028", "slettedato": "2025-09-01"}),
        ("310900036", 410, None),
        ("310000124", 404, None),
        ("310000175", 404, None),
        ("310000018", 404, None),
        ("810000019", 404, None),
        ("999977774", 200, {"navn": "GRANFJELLDAL KOMMUNE"}),
        ("312232324", 200, {"navn": "FLAKSVÅGØY KOMMUNE"}),
        ("12345678", 400, {"status": 400}),
        ("31000001x", 400, {"status": 400}),
        ("٣١٠٠٠٠٠١٩", 400, {"status": 400}),  # digits, but not these
    ],
)
async def test_each_number_answers_as_the_table_says(
    http: httpx2.AsyncClient, number: str, status: int, members: dict[str, object] | None
) -> None:
    answer = await http.get(f"{API}/enheter/{number}", headers={"Accept": V2})
    assert answer.status_code == status
    if members is None:
        assert answer.content == b""
    else:
        assert answer.json().items() >= members.items()


@pytest.mark.parametrize(
    ("number", "status", "parent"),
    [
        ("310000175", 200, "310000019"),
        ("310900087", 200, "310900079"),
        ("999977775", 200, "999977774"),
        ("312232326", 200, "312232324"),
        ("310000019", 404, None),
        ("310000132", 404, None),
        ("310000124", 404, None),
    ],
)
async def test_sub_units_are_asked_for_elsewhere(
    http: httpx2.AsyncClient, number: str, status: int, parent: str | None
) -> None:
    answer = await http.get(f"{API}/underenheter/{number}", headers={"Accept": V2_SUB})
    assert answer.status_code == status
    if parent is not None:
        body = answer.json()
        assert body["overordnetEnhet"] == parent
        assert body["respons_klasse"] == "Underenhet"
        assert body["organisasjonsform"]["kode"] == "BEDR"
        assert "beliggenhetsadresse" in body


async def test_every_other_valid_number_is_an_ordinary_organisation(
    http: httpx2.AsyncClient,
) -> None:
    first = (await http.get(f"{API}/enheter/310000302")).json()
    again = (await http.get(f"{API}/enheter/310000302")).json()
    assert first == again
    assert first["respons_klasse"] == "Enhet"
    assert first["navn"].endswith(" AS")
    assert first["naeringskode1"]["kode"][:2] in ("86", "87")
    assert "overordnetEnhet" not in first
    assert not first["konkurs"]


def test_the_numbers_of_the_table_are_valid_but_for_the_known_odd_ones() -> None:
    invalid = {one.number for one in TABLE if not has_valid_check_digit(one.number)}
    assert invalid == ODD
    assert len({one.number for one in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (V2, 200),
        (f"{V2};charset=UTF-8", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("application/vnd.brreg.enhetsregisteret.enhet.v1+json", 406),
        ("text/html", 406),
        (V2_SUB, 406),
    ],
)
async def test_only_the_present_version_is_served(
    http: httpx2.AsyncClient, accept: str, status: int
) -> None:
    answer = await http.get(f"{API}/enheter/310000019", headers={"Accept": accept})
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["content-type"] == f"{V2};charset=UTF-8"


async def test_what_has_not_changed_is_not_sent_again(http: httpx2.AsyncClient) -> None:
    address = f"{API}/enheter/310000019"
    etag = (await http.get(address)).headers["etag"]
    again = await http.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    other = await http.get(address, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


async def test_children_are_found_by_their_parent(http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{API}/underenheter", params={"overordnetEnhet": "999977774"})
    body = answer.json()
    found = [unit["organisasjonsnummer"] for unit in body["_embedded"]["underenheter"]]
    assert found == ["999977776", "999977775"]
    assert body["page"] == {"size": 20, "totalElements": 2, "totalPages": 1, "number": 0}


async def test_nothing_found_is_no_member_at_all(http: httpx2.AsyncClient) -> None:
    body = (await http.get(f"{API}/underenheter?overordnetEnhet=310000027")).json()
    assert "_embedded" not in body
    assert body["page"]["totalElements"] == 0


async def test_several_numbers_are_asked_at_once(http: httpx2.AsyncClient) -> None:
    numbers = "310000019,310000302,310000124,310000175,310900028,x"
    body = (await http.get(f"{API}/enheter", params={"organisasjonsnummer": numbers})).json()
    found = [unit["organisasjonsnummer"] for unit in body["_embedded"]["enheter"]]
    assert found == ["310000019", "310000302"]


async def test_names_are_searched_in_pages(http: httpx2.AsyncClient) -> None:
    query = {"navn": "kommune", "size": "2", "page": "1"}
    body = (await http.get(f"{API}/enheter", params=query)).json()
    assert body["page"]["number"] == 1
    assert len(body["_embedded"]["enheter"]) == 2
    assert all("KOMMUNE" in unit["navn"] for unit in body["_embedded"]["enheter"])


@pytest.mark.parametrize(
    "query", [{"page": "500", "size": "20"}, {"size": "x"}, {"page": "-1"}, {"size": "9" * 99}]
)
async def test_pages_end_somewhere(http: httpx2.AsyncClient, query: dict[str, str]) -> None:
    answer = await http.get(f"{API}/enheter", params=query)
    assert answer.status_code == 400
