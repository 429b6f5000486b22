"""Counting in PostgreSQL, and how often drafts may be asked for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.access.limits import DAY, HOUR, MINUTE, Limit, Refused, exceeded
from app.client_drafts.models import ClientDraft
from app.database import Database
from app.problems import TooManyRequests
from tests.serving import EDI, a_draft, problem_of, serving

AT = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
LIMIT = Limit("a", MINUTE, 3, "things a minute")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def passes(database: Database, *limits: Limit, at: datetime = AT) -> list[str]:
    async with database.reads.acquire() as connection:
        return [limit.name for limit in await exceeded(connection, limits, at)]


async def test_a_limit_is_passed_by_the_next_one(database: Database) -> None:
    assert [await passes(database, LIMIT) for _ in range(5)] == [[], [], [], ["a"], ["a"]]


async def test_each_name_and_each_window_is_counted_by_itself(database: Database) -> None:
    other = Limit("b", HOUR, 1, "things an hour")
    assert await passes(database, LIMIT, other) == []
    assert await passes(database, LIMIT, other) == ["b"]
    assert await passes(database, LIMIT, other, at=AT + timedelta(seconds=30)) == ["b"]
    assert await passes(database, LIMIT, other, at=AT + HOUR) == []


@pytest.mark.parametrize(("window", "seconds"), [(MINUTE, 30), (HOUR, 3570), (DAY, 12 * 3600 - 30)])
def test_the_refusal_says_when_the_window_is_over(window: timedelta, seconds: int) -> None:
    refusal = Limit("a", window, 3, "things").refusal(AT)
    assert refusal.headers == {"Retry-After": str(seconds)}
    assert f"{seconds} s" in refusal.detail


@pytest.mark.race
async def test_no_count_is_lost_between_processes(database_url: str) -> None:
    processes = [Database(database_url) for _ in range(8)]
    await asyncio.gather(*(process.open() for process in processes))
    limit = Limit("a", MINUTE, 20, "things")
    other = Limit("b", MINUTE, 20, "things")
    # Crosswise: without an order two of them would wait for each other.
    outcomes = await asyncio.gather(
        *(
            passes(process, *((limit, other) if turn % 2 else (other, limit)))
            for process in processes
            for turn in range(4)
        )
    )
    assert sum("a" in passed for passed in outcomes) == 32 - 20
    assert sum("b" in passed for passed in outcomes) == 32 - 20
    await asyncio.gather(*(process.close() for process in processes))


def test_a_refusal_is_remembered_until_its_window_is_over() -> None:
    refused = Refused()
    refused.check(LIMIT, AT)
    refused.add(LIMIT, AT)
    with pytest.raises(TooManyRequests):
        refused.check(LIMIT, AT + timedelta(seconds=29))
    refused.check(LIMIT, AT + timedelta(seconds=30))
    assert len(refused) == 0


def test_what_is_remembered_of_refusals_does_not_grow_without_end() -> None:
    refused = Refused(most=100)
    for number in range(1000):
        refused.add(Limit(f"caller {number}", MINUTE, 3, "things"), AT)
    assert len(refused) == 100
    with pytest.raises(TooManyRequests):
        refused.check(Limit("caller 999", MINUTE, 3, "things"), AT)


@pytest.mark.usefixtures("early_in_the_minute")
async def test_drafts_for_one_organization_from_one_place_have_a_limit(seeded_url: str) -> None:
    async with serving(seeded_url, drafts_per_hour_organization_and_key=2) as service:
        statuses = [(await service.draft(a_draft())).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]
        refused = await service.draft(a_draft())
        assert problem_of(refused)["detail"].startswith("At most 2 drafts an hour for 310000019")
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        other = a_draft(organizationNumber="310000051")
        assert (await service.draft(other)).status_code == 201
        assert (await service.draft(a_draft(), api_key=EDI)).status_code == 201


@pytest.mark.usefixtures("early_in_the_minute")
async def test_one_address_has_a_limit_and_another_is_not_shut_out(seeded_url: str) -> None:
    proxies = ["127.0.0.1"]
    async with serving(
        seeded_url, drafts_per_minute_and_address=2, trusted_proxies=proxies
    ) as service:

        async def from_address(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return (await service.draft(a_draft(), **headers)).status_code

        household = ["2001:db8::1", "2001:db8::2", "2001:db8::3"]
        assert [await from_address(address) for address in household] == [201, 201, 429]
        assert await from_address("2001:db8:0:1::1") == 201
        assert await from_address("198.51.100.7") == 201


@pytest.mark.usefixtures("early_in_the_minute")
async def test_a_busy_api_key_refuses_nobody_but_wants_the_code_typed(seeded_url: str) -> None:
    async with serving(seeded_url, drafts_per_minute_and_key=2) as service:
        drafts = []
        for _ in range(3):
            answer = await service.draft(a_draft())
            assert answer.status_code == 201
            drafts.append(answer.json()["clientId"])
        async with service.database.sessions() as db:
            typed = [(await db.get_one(ClientDraft, client_id)).pairing for client_id in drafts]
        assert typed == [False, False, True]
