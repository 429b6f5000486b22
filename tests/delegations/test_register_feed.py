"""Following what becomes of the organizations that clients act for."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Database
from app.delegations.answers import Found
from app.delegations.asking import ask_what_is_due
from app.delegations.models import Delegation, DelegationPoll, FollowedFeed
from app.delegations.register_feed import LOOKED_UP_IN_A_TURN, follow_register
from app.delegations.rules import State
from app.organizations.models import Organization
from app.organizations.register import Mark, RegisterEntry, RegisterUnavailable, Updates, Verdict
from app.publications.models import Publication
from tests.delegations.examples import (
    WITH_RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
    record_of,
)
from tests.examples import NOW, ORGANIZATION

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALIVE = RegisterEntry(Verdict.MAIN_UNIT, "FJORDBYEN LEGESENTER AS")
BANKRUPT = RegisterEntry(Verdict.BANKRUPT, "FJORDBYEN LEGESENTER AS")
DELETED = RegisterEntry(Verdict.DELETED, "FJORDBYEN LEGESENTER AS")
REMOVED = RegisterEntry(Verdict.REMOVED)


class ToldRegister:
    """Enhetsregisteret, with a list of updates that a test writes."""

    def __init__(self) -> None:
        self.entries: dict[str, RegisterEntry] = {}
        self.rows: list[str] = []
        self.silent_about: set[str] = set()
        self.down = False
        self.asked: list[str] = []
        self.cursors: list[str] = []
        self.asks = asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def becomes(self, entry: RegisterEntry, number: str = ORGANIZATION) -> None:
        self.entries[number] = entry
        self.rows.append(number)

    async def look_up(self, number: str, *, known: RegisterEntry | None) -> RegisterEntry:
        self.asked.append(number)
        self.asks.release()
        await self.may_answer.wait()
        if self.down or number in self.silent_about:
            raise RegisterUnavailable("told to")
        return self.entries.get(number, ALIVE)

    def beginning(self, since: datetime) -> str:
        return f"0 {since.isoformat()}"

    async def updates(self, cursor: str) -> Updates:
        self.cursors.append(cursor)
        if self.down:
            raise RegisterUnavailable("told to")
        first = int(cursor.partition(" ")[0])
        news = self.rows[first : first + 3]
        return Updates(news, str(first + len(news))) if news else Updates([], cursor)


async def follow(database: Database, register: ToldRegister, now: datetime) -> int:
    """Until there is no more: in how many turns."""
    turns = 1
    while await follow_register(database.sessions, register, register, now=now):
        turns += 1
    return turns


async def feed_of(database: Database) -> FollowedFeed:
    async with database.sessions() as db:
        return (await db.scalars(select(FollowedFeed))).one()


async def state_of(database: Database, client_id: UUID) -> State:
    return (await record_of(database, client_id))[0].state


async def told(database: Database, subject: UUID) -> list[tuple[str, Any]]:
    async with database.sessions() as db:
        rows = await db.execute(
            select(AuditEvent.happened, AuditEvent.details)
            .where(
                AuditEvent.subject == str(subject), AuditEvent.happened.like("client.organization%")
            )
            .order_by(AuditEvent.id)
        )
        return [(happened, details) for happened, details in rows]


async def counter(database: Database, client_id: UUID) -> int:
    async with database.sessions() as db:
        row = await db.get(ClientChanges, client_id)
        return row.counter if row else 0


@pytest.fixture
async def client_id(database: Database) -> UUID:
    """Of a client whose right is active, in an organization that was looked up at the start."""
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(), NOW)
    return client_id


async def test_the_first_reader_begins_now_and_looks_up_everybody_that_is_known(
    database: Database, client_id: UUID
) -> None:
    register = ToldRegister()
    await follow(database, register, NOW)
    assert register.cursors == [f"0 {(NOW - HOUR).isoformat()}"]
    assert register.asked == [ORGANIZATION]
    await follow(database, register, NOW + 9 * MINUTE)
    assert len(register.cursors) == 1
    await follow(database, register, NOW + 10 * MINUTE)
    assert len(register.cursors) == 2
    assert register.asked == [ORGANIZATION]
    assert await told(database, client_id) == []


@pytest.mark.parametrize(
    ("entry", "mark"),
    [(BANKRUPT, Mark.BANKRUPT), (DELETED, Mark.DELETED), (REMOVED, Mark.REMOVED)],
)
async def test_an_organization_that_can_no_longer_act_marks_its_clients_and_is_undone(
    database: Database, client_id: UUID, entry: RegisterEntry, mark: Mark
) -> None:
    register = ToldRegister()
    await follow(database, register, NOW)
    seen = await counter(database, client_id)
    register.becomes(entry)
    later = NOW + 10 * MINUTE
    await follow(database, register, later)
    assert await state_of(database, client_id) == State.REVOKED_SOURCE
    assert await told(database, client_id) == [
        ("client.organizationMarked", {"organization": ORGANIZATION, "mark": mark.value})
    ]
    assert await counter(database, client_id) > seen
    async with database.sessions() as db:
        organization = await db.get_one(Organization, ORGANIZATION)
        client = await db.get_one(ClientConfiguration, client_id)
        publication = await db.get_one(Publication, client_id)
    assert (organization.mark, organization.marked_at) == (mark, later)
    assert client.status == ClientStatus.ACTIVE
    assert publication.wanted == 2  # the right came, and is gone

    register.becomes(ALIVE)
    await follow(database, register, NOW + 20 * MINUTE)
    assert await state_of(database, client_id) == State.UNKNOWN
    assert (await told(database, client_id))[1:] == [
        ("client.organizationUnmarked", {"organization": ORGANIZATION})
    ]
    await ask_all(database, InstantAltinn(), NOW + 20 * MINUTE)
    assert await state_of(database, client_id) == State.ACTIVE


async def test_a_no_of_altinns_does_not_make_a_right_missing_that_nobody_can_give(
    database: Database, client_id: UUID
) -> None:
    register, altinn = ToldRegister(), InstantAltinn(Found.NOT_GIVEN)
    register.becomes(DELETED)
    await follow(database, register, NOW)
    for minutes in (0, 30, 24 * 60 * 3):
        await ask_all(database, altinn, NOW + minutes * MINUTE)
        assert await state_of(database, client_id) == State.REVOKED_SOURCE
    # A client that begins meanwhile does not wait for anybody either.
    other = await followed_client(database)
    await ask_all(database, altinn, NOW)
    assert await state_of(database, other) == State.BLOCKED_ORGANIZATION


async def test_altinns_yes_counts_and_the_mark_stays(database: Database, client_id: UUID) -> None:
    """A bankrupt business goes on for a while, by a right that its estate has not taken back."""
    register = ToldRegister()
    register.becomes(BANKRUPT)
    await follow(database, register, NOW)
    await ask_all(database, InstantAltinn(), NOW)
    assert await state_of(database, client_id) == State.ACTIVE
    async with database.sessions() as db:
        assert (await db.get_one(Organization, ORGANIZATION)).mark == Mark.BANKRUPT
    register.becomes(DELETED)
    await follow(database, register, NOW + 10 * MINUTE)
    assert await state_of(database, client_id) == State.REVOKED_SOURCE
    assert len(await told(database, client_id)) == 2


async def test_the_same_news_again_is_no_news(database: Database, client_id: UUID) -> None:
    register = ToldRegister()
    for turn in range(3):
        register.becomes(DELETED)
        await follow(database, register, NOW + turn * 10 * MINUTE)
    assert len(register.asked) == 3
    assert len(await told(database, client_id)) == 1


async def test_a_number_that_the_register_suddenly_does_not_know_is_no_news(
    database: Database, client_id: UUID
) -> None:
    register = ToldRegister()
    register.becomes(BANKRUPT)
    await follow(database, register, NOW)
    register.becomes(RegisterEntry(Verdict.UNKNOWN_NUMBER))
    await follow(database, register, NOW + 10 * MINUTE)
    assert len(await told(database, client_id)) == 1


async def test_a_new_name_is_taken_over(database: Database, client_id: UUID) -> None:
    register = ToldRegister()
    await follow(database, register, NOW)
    before = await counter(database, client_id)
    register.becomes(RegisterEntry(Verdict.MAIN_UNIT, "NYE FJORDBYEN AS"))
    await follow(database, register, NOW + 10 * MINUTE)
    async with database.sessions() as db:
        client = await db.get_one(ClientConfiguration, client_id)
        assert (await db.get_one(Publication, client_id)).wanted == 2
    assert client.organization_name == "NYE FJORDBYEN AS"
    assert await counter(database, client_id) == before + 1
    assert await told(database, client_id) == [
        (
            "client.organizationRenamed",
            {"organization": ORGANIZATION, "name": "NYE FJORDBYEN AS"},
        )
    ]


async def test_closed_clients_and_strangers_are_left_alone(
    database: Database, client_id: UUID
) -> None:
    async with database.sessions.begin() as db:
        await db.execute(update(ClientConfiguration).values(status=ClientStatus.CLOSED))
        await db.execute(update(Delegation).values(state=State.NOT_REQUIRED))
    register = ToldRegister()
    register.becomes(DELETED)
    register.becomes(DELETED, "310000027")
    await follow(database, register, NOW)
    assert register.asked == []
    assert await told(database, client_id) == []


async def test_while_the_register_is_down_nothing_is_lost(
    database: Database, client_id: UUID
) -> None:
    register = ToldRegister()
    await follow(database, register, NOW)
    register.down = True
    register.becomes(DELETED)
    now = NOW + 10 * MINUTE
    for failures, wait in enumerate((30, 60, 120, 300, 600, 600), start=1):
        assert await follow(database, register, now) == 1
        feed = await feed_of(database)
        assert (feed.failures, feed.last_error) == (failures, "told to")
        assert feed.due_at == now + timedelta(seconds=wait)
        assert feed.cursor == register.cursors[0]
        now = feed.due_at
    register.down = False
    await follow(database, register, now)
    assert await state_of(database, client_id) == State.REVOKED_SOURCE
    assert (await feed_of(database)).failures == 0


async def test_one_that_cannot_be_looked_up_holds_up_nobody(database: Database) -> None:
    numbers = [f"31000{number:04}" for number in range(LOOKED_UP_IN_A_TURN + 5)]
    for number in numbers:
        await followed_client(database, organization_number=number)
    register = ToldRegister()
    register.silent_about = set(numbers[:3])
    await follow(database, register, NOW)
    async with database.sessions() as db:
        known = set(await db.scalars(select(Organization.organization_number)))
    assert known == set(numbers[3:])
    register.silent_about = set()
    await follow(database, register, NOW + 10 * MINUTE)
    async with database.sessions() as db:
        assert await db.scalar(select(func.count()).select_from(Organization)) == len(numbers)


@pytest.mark.race
async def test_of_eight_workers_one_reads_and_each_update_has_its_effect_once(
    database: Database, client_id: UUID
) -> None:
    register = ToldRegister()
    for entry in (ALIVE, BANKRUPT, DELETED):
        register.becomes(entry)
    await asyncio.gather(*(follow(database, register, NOW) for _ in range(8)))
    assert register.asked == [ORGANIZATION]
    assert len(await told(database, client_id)) == 1
    assert await state_of(database, client_id) == State.REVOKED_SOURCE


@pytest.mark.race
async def test_workers_whose_turns_ran_out_leave_one_effect(
    database: Database, client_id: UUID
) -> None:
    register = ToldRegister()
    register.becomes(DELETED)
    register.may_answer.clear()
    following = []
    for _ in range(8):
        following.append(asyncio.create_task(follow(database, register, NOW)))
        await register.asks.acquire()
        async with database.sessions.begin() as db:
            await db.execute(update(FollowedFeed).values(leased_until=None))
    register.may_answer.set()
    await asyncio.gather(*following)
    await follow(database, register, NOW)
    assert len(await told(database, client_id)) == 1


async def test_what_is_being_asked_when_the_mark_comes_is_not_believed(
    database: Database, client_id: UUID
) -> None:
    altinn, register = InstantAltinn(Found.NOT_GIVEN), ToldRegister()
    async with database.sessions.begin() as db:
        await db.execute(update(DelegationPoll).values(due_at=NOW))
    altinn.may_go_on.clear()
    asking = asyncio.create_task(
        ask_what_is_due(database, altinn, WITH_RIGHT.right_named, limit=5, now=NOW)
    )
    await altinn.called.wait()
    register.becomes(DELETED)
    await follow(database, register, NOW)
    altinn.may_go_on.set()
    await asking
    assert await state_of(database, client_id) == State.REVOKED_SOURCE
