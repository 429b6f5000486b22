"""Following changes of the rules by which rights are held."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from app.database import Database
from app.delegations.altinn import AltinnUnavailable, ChangedResources
from app.delegations.models import DelegationPoll, FollowedFeed
from app.delegations.resource_feed import AT_ONCE, follow_resources
from tests.delegations.examples import (
    RIGHT,
    WITH_RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
    record_of,
)
from tests.delegations.many import COPIES
from tests.examples import NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class ToldResources:
    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.until: datetime | None = None
        self.failure: AltinnUnavailable | None = None
        self.asked: list[datetime] = []

    async def changed_since(self, since: datetime) -> ChangedResources:
        self.asked.append(since)
        if self.failure:
            raise self.failure
        return ChangedResources(frozenset(self.ids), self.until or since)


async def follow(database: Database, feed: ToldResources, now: datetime) -> None:
    rights = WITH_RIGHT.right_named
    assert not await follow_resources(database.sessions, feed, rights, now=now)


async def test_a_right_whose_rules_changed_is_asked_about_now(database: Database) -> None:
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(), NOW)
    feed = ToldResources()
    await follow(database, feed, NOW)
    _, poll = await record_of(database, client_id)
    assert poll.due_at is not None
    assert poll.due_at > NOW + HOUR

    feed = ToldResources("somebody-elses", RIGHT.resource_id)
    feed.until = NOW + 30 * MINUTE
    await follow(database, feed, NOW + 59 * MINUTE)
    assert feed.asked == []
    await follow(database, feed, NOW + HOUR)
    await follow(database, feed, NOW + 2 * HOUR)
    assert feed.asked == [NOW, NOW + 30 * MINUTE]
    _, poll = await record_of(database, client_id)
    assert poll.due_at == NOW + HOUR


async def test_others_rights_are_no_news(database: Database) -> None:
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(), NOW)
    before = (await record_of(database, client_id))[1].due_at
    await follow(database, ToldResources("somebody-elses"), NOW)
    assert (await record_of(database, client_id))[1].due_at == before


async def test_while_altinn_is_down_the_cursor_stays(database: Database) -> None:
    feed = ToldResources(RIGHT.resource_id)
    feed.until = NOW + HOUR
    feed.failure = AltinnUnavailable("status 503")
    for seconds in (0, 29, 30):
        await follow(database, feed, NOW + timedelta(seconds=seconds))
    assert feed.asked == [NOW, NOW]
    async with database.sessions() as db:
        row = (await db.scalars(select(FollowedFeed))).one()
    assert (row.failures, row.last_error, row.cursor) == (2, "status 503", NOW.isoformat())


@pytest.mark.race
async def test_of_eight_workers_one_reads_and_all_records_become_due(database: Database) -> None:
    await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(COPIES, {"copies": 2 * AT_ONCE, "due_at": NOW + HOUR})
    feed = ToldResources(RIGHT.resource_id)
    await asyncio.gather(*(follow(database, feed, NOW) for _ in range(8)))
    assert feed.asked == [NOW]
    async with database.sessions() as db:
        assert not list(await db.scalars(select(DelegationPoll).where(text(f"due_at > '{NOW}'"))))
