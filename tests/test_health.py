"""Whether the process lives, and whether it can serve."""

import asyncio

import httpx2
import pytest
from sqlalchemy import text

from app import health
from tests.databases import execute
from tests.serving import Service, a_draft, problem_of, serving
from tests.severed import way_to


async def ready(service: Service) -> httpx2.Response:
    return await service.http.get("/health/ready")


async def test_a_process_that_can_serve_says_so(service: Service) -> None:
    answer = await ready(service)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert (await service.http.get("/health/live")).json() == {"status": "live"}


async def not_ready(service: Service) -> str:
    answer = await ready(service)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    detail: str = problem_of(answer)["detail"]
    # A new instance may be waiting to be told; it is not to be restarted for that.
    assert (await service.http.get("/health/live")).status_code == 200
    return detail


async def test_an_earlier_schema_than_the_codes_is_not_ready(service: Service) -> None:
    await at_revision(service, "0001")
    assert "the database is at revision 0001, this service needs" in await not_ready(service)


async def test_a_later_schema_takes_nobody_away_before_the_later_code_is_there(
    service: Service,
) -> None:
    await at_revision(service, "9999")
    assert (await ready(service)).status_code == 200
    async with service.database.sessions.begin() as db:
        await db.execute(text("COMMENT ON TABLE alembic_version IS '9998'"))
    assert "comes from a later version" in await not_ready(service)


async def test_code_of_the_version_before_starts_on_a_later_schema_and_says_so(
    seeded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    later = "UPDATE alembic_version SET version_num = '9999'"
    await asyncio.to_thread(execute, seeded_url, later)
    async with serving(seeded_url) as service:
        assert (await service.draft(a_draft())).status_code == 201
    assert "a later version has migrated the database, to revision 9999" in caplog.text


async def at_revision(service: Service, revision: str) -> None:
    async with service.database.sessions.begin() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


async def test_a_clock_that_differs_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CLOCKS_DIFFER_AT_MOST", -health.CLOCKS_DIFFER_AT_MOST)
    assert "the clock of this host" in await not_ready(service)


async def test_a_database_that_is_gone_is_not_ready(seeded_url: str) -> None:
    async with way_to(seeded_url) as way, serving(way.url) as service:
        assert (await ready(service)).status_code == 200
        await way.cut()
        assert "the database does not answer" in await not_ready(service)


async def test_a_database_that_hangs_is_not_ready_in_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WITHIN_SECONDS", 0.2)
    async with service.database.sessions.begin() as held:
        await held.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        assert "the database does not answer: TimeoutError" in await not_ready(service)
