"""`GET /v1/catalogue`: what everybody may see of it, in pages and versions."""

import asyncio
from typing import Any

import pytest

from app.apis.models import CatalogueVersion
from app.apis.queries import Catalogues, newest_catalogue
from app.web.paging import cursor_after
from tests.serving import Service, problem_of


async def apis(service: Service, query: str = "") -> list[dict[str, Any]]:
    answer = await service.http.get(f"/v1/catalogue{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.race
async def test_of_eight_at_once_one_reads_a_new_version(service: Service) -> None:
    opened = 0

    def counting() -> Any:
        nonlocal opened
        opened += 1
        return service.database.sessions()

    catalogues = Catalogues(counting)  # type: ignore[arg-type]  # it only opens sessions
    version = await catalogues.version_in_force()
    opened = 0
    read = await asyncio.gather(*(catalogues.of(version) for _ in range(8)))
    assert opened == 1
    assert {id(catalogue) for catalogue in read} == {id(read[0])}


async def test_it_tells_who_approves_and_which_right_is_needed(service: Service) -> None:
    [msh] = [api for api in await apis(service) if api["audience"] == "nhn:msh"]
    [scope] = [entry for entry in msh["scopes"] if entry["scope"] == "nhn:msh/api"]
    assert (msh["owner"], scope["approval"]) == ("Norsk helsenett SF", "manual")
    assert [right["name"] for right in scope["rights"]] == ["nhn-helseid-databehandler"]
    [claim] = msh["claims"]
    assert (claim["claimType"], claim["approval"]) == ("herid", "automaticInTest")


async def test_it_holds_nothing_of_suppliers_and_organizations(service: Service) -> None:
    text = (await service.http.get("/v1/catalogue?limit=100")).text
    for private in ("Fjord", "3107000", "310000", "sandbox", "clientSystem"):
        assert private not in text


async def test_its_pages_are_the_whole_in_order(service: Service) -> None:
    whole = [api["audience"] for api in await apis(service, "?limit=100")]
    assert whole == sorted(whole)
    assert len(whole) > 10
    seen, cursor = [], ""
    while cursor is not None:
        answer = await service.http.get("/v1/catalogue", params={"limit": 4, "cursor": cursor})
        assert len(answer.json()["items"]) <= 4
        seen += [api["audience"] for api in answer.json()["items"]]
        cursor = answer.json()["nextCursor"]
    assert seen == whole


@pytest.mark.parametrize("cursor", ["%00", "æ", "a", "!!!!", "_w"])
async def test_a_cursor_that_is_none_is_refused(service: Service, cursor: str) -> None:
    answer = await service.http.get("/v1/catalogue", params={"cursor": cursor})
    assert answer.status_code == 400
    assert problem_of(answer)["errors"][0]["pointer"] == "#/cursor"


async def test_a_cursor_after_the_end_is_an_empty_page(service: Service) -> None:
    assert await apis(service, f"?cursor={cursor_after('zzz')}") == []


@pytest.mark.parametrize("limit", ["0", "101", "x"])
async def test_a_limit_out_of_bounds_is_refused(service: Service, limit: str) -> None:
    answer = await service.http.get("/v1/catalogue", params={"limit": limit})
    assert answer.status_code == 400
    assert problem_of(answer)["errors"][0]["pointer"] == "#/limit"


async def test_it_is_the_same_until_another_is_applied(service: Service) -> None:
    first = await service.http.get("/v1/catalogue")
    assert first.headers["cache-control"] == "public, max-age=60"
    known = {"If-None-Match": first.headers["etag"]}
    again = await service.http.get("/v1/catalogue", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    async with service.database.sessions.begin() as db:
        row = await newest_catalogue(db)
        assert row is not None
        db.add(CatalogueVersion(content=row.content, applied_at=row.applied_at))
    assert (await service.http.get("/v1/catalogue", headers=known)).status_code == 200
