"""Asking about what is due: once, without a lock, and with everything that follows from it."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from app.audit.models import AuditEvent
from app.audit.trail import Happened
from app.changes.models import ClientChanges
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Database
from app.delegations.altinn import AltinnBusy, AltinnUnavailable
from app.delegations.answers import Found, Source
from app.delegations.asking import ask_what_is_due
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import ONE_WAIT
from app.delegations.queries import ask_again, note_watch
from app.delegations.rules import State
from app.publications.models import Publication
from tests.delegations.examples import (
    WITH_RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
    record_of,
)
from tests.examples import NOW

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RIGHTS = WITH_RIGHT.right_named


async def changes(database: Database, client_id: UUID) -> tuple[int, int, int]:
    """What a reader could see, what the issuer has to know, and rows in the trail."""
    async with database.sessions() as db:
        seen = await db.scalar(
            select(ClientChanges.counter).where(ClientChanges.client_id == client_id)
        )
        wanted = await db.scalar(
            select(Publication.wanted).where(Publication.client_id == client_id)
        )
        told = await db.scalar(
            select(func.count()).where(
                AuditEvent.happened == Happened.DELEGATION_CHANGED,
                AuditEvent.subject == str(client_id),
            )
        )
    return seen or 0, wanted or 0, told or 0


async def test_a_yes_makes_the_right_active_and_all_who_need_to_know_are_told(
    database: Database,
) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    delegation, poll = await record_of(database, client_id)
    assert delegation.state == State.ACTIVE
    assert (poll.checked_at, poll.source, poll.request_ref) == (NOW, Source.MASKINPORTEN, "ref")
    assert poll.due_at is not None
    assert NOW + timedelta(hours=12) <= poll.due_at <= NOW + timedelta(hours=24)
    assert (poll.leased_until, poll.failures) == (None, 0)
    assert await changes(database, client_id) == (1, 1, 1)
    assert altinn.urgent == [True]


async def test_the_same_answer_again_is_no_change(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    before = await changes(database, client_id)
    later = NOW + timedelta(days=1)
    await ask_all(database, altinn, later)
    assert altinn.asked.total() == 2
    assert await changes(database, client_id) == before
    _, poll = await record_of(database, client_id)
    assert poll.checked_at == later


@pytest.mark.parametrize("state", [state for state in State if state != State.NOT_REQUIRED])
async def test_a_failure_changes_no_state_and_asks_later(database: Database, state: State) -> None:
    client_id = await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(update(Delegation).values(state=state, first_no_at=NOW))
    altinn = InstantAltinn()
    altinn.failure = AltinnUnavailable("status 503")
    await ask_all(database, altinn, NOW)
    delegation, poll = await record_of(database, client_id)
    assert delegation.state == state
    assert (poll.failures, poll.last_error, poll.checked_at) == (1, "status 503", None)
    assert poll.due_at == NOW + 30 * SECOND
    assert await changes(database, client_id) == (0, 0, 0)


async def test_who_was_not_asked_has_not_failed(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    altinn.failure = AltinnBusy("the bucket is empty", seconds=7)
    assert not await ask_what_is_due(database, altinn, RIGHTS, limit=1, now=NOW)
    _, poll = await record_of(database, client_id)
    assert (poll.failures, poll.due_at) == (0, NOW + 7 * SECOND)


async def test_an_hour_of_outage_loses_and_invents_nothing(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    began = NOW + timedelta(days=2)
    altinn.failure = AltinnUnavailable("status 503")
    now, calls = began, altinn.asked.total()
    while now < began + timedelta(hours=1):
        await ask_all(database, altinn, now)
        now += 10 * SECOND
    assert altinn.asked.total() - calls <= 12
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, poll.checked_at) == (State.ACTIVE, NOW)
    altinn.failure = None
    await ask_all(database, altinn, now + timedelta(minutes=12))
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, poll.failures, poll.last_error) == (State.ACTIVE, 0, None)
    assert (await changes(database, client_id))[2] == 1


async def test_a_withdrawal_is_believed_once_two_calls_have_said_so(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    altinn.found = Found.NOT_GIVEN
    now = NOW + timedelta(days=1)
    await ask_all(database, altinn, now)
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.SUSPECT
    assert (await changes(database, client_id))[1] == 1  # the issuer is not told of a doubt
    for _ in range(20):
        now += MINUTE
        await ask_all(database, altinn, now)
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.REVOKED
    assert altinn.sources[1:3] == [Source.MASKINPORTEN, Source.AUTHORIZED_PARTIES]
    assert await changes(database, client_id) == (3, 2, 3)


async def test_no_lock_is_held_while_altinn_is_asked(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    altinn.may_go_on.clear()
    asking = asyncio.create_task(ask_what_is_due(database, altinn, RIGHTS, limit=5, now=NOW))
    await altinn.called.wait()
    async with database.sessions.begin() as db:
        await db.execute(text("SET LOCAL lock_timeout = '200ms'"))
        await db.execute(select(Delegation).with_for_update())
        await db.execute(select(DelegationPoll).with_for_update())
        idle = await db.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
                "AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert idle == 0
    altinn.may_go_on.set()
    await asking
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.ACTIVE


async def test_who_lost_the_lease_writes_nothing(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    altinn.may_go_on.clear()
    asking = asyncio.create_task(ask_what_is_due(database, altinn, RIGHTS, limit=5, now=NOW))
    await altinn.called.wait()
    async with database.sessions.begin() as db:
        await db.execute(update(DelegationPoll).values(leased_until=None, due_at=None))
    altinn.may_go_on.set()
    await asking
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, poll.checked_at) == (State.UNKNOWN, None)


@pytest.mark.parametrize("failure", [None, AltinnUnavailable("status 503")])
async def test_the_same_answer_comes_too_late_when_the_lease_is_lost(
    database: Database, failure: AltinnUnavailable | None
) -> None:
    """An answer that changes no state is written in another way, and guarded too."""
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    later = NOW + timedelta(days=1)
    altinn.failure = failure
    altinn.may_go_on.clear()
    altinn.called.clear()
    asking = asyncio.create_task(ask_what_is_due(database, altinn, RIGHTS, limit=5, now=later))
    await altinn.called.wait()
    async with database.sessions.begin() as db:
        await db.execute(update(DelegationPoll).values(leased_until=None, due_at=None))
    altinn.may_go_on.set()
    await asking
    _, poll = await record_of(database, client_id)
    assert (poll.checked_at, poll.due_at, poll.failures) == (NOW, None, 0)


async def test_a_lease_that_is_left_behind_ends_by_itself(database: Database) -> None:
    await followed_client(database)
    altinn = InstantAltinn()
    async with database.sessions.begin() as db:
        ahead = func.clock_timestamp() + timedelta(seconds=60)
        await db.execute(update(DelegationPoll).values(leased_until=ahead))
    await ask_all(database, altinn, NOW)
    assert altinn.asked.total() == 0
    async with database.sessions.begin() as db:
        await db.execute(update(DelegationPoll).values(leased_until=func.clock_timestamp()))
    await ask_all(database, altinn, NOW)
    assert altinn.asked.total() == 1


async def watch(database: Database, client_id: UUID, now: datetime) -> None:
    async with database.reads.acquire() as connection:
        await note_watch(connection, client_id, now)


async def test_a_reader_brings_the_next_check_forward(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    await ask_all(database, altinn, NOW)
    now = NOW + MINUTE
    await ask_all(database, altinn, now)
    _, poll = await record_of(database, client_id)
    assert poll.due_at is not None
    assert poll.due_at > now + 50 * MINUTE
    await watch(database, client_id, now)
    altinn.found = Found.GIVEN
    await ask_all(database, altinn, now)
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.ACTIVE


async def test_a_reader_who_comes_during_the_call_is_not_forgotten(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    await ask_all(database, altinn, NOW)
    now = NOW + timedelta(hours=2)
    altinn.may_go_on.clear()
    altinn.called.clear()
    asking = asyncio.create_task(ask_what_is_due(database, altinn, RIGHTS, limit=5, now=now))
    await altinn.called.wait()
    await watch(database, client_id, now)
    altinn.may_go_on.set()
    await asking
    _, poll = await record_of(database, client_id)
    assert poll.due_at == now + 5 * SECOND


async def test_what_somebody_waits_for_is_asked_first(database: Database) -> None:
    numbers = [f"31000{number:04}" for number in range(20)]
    for number in numbers:
        await followed_client(database, organization_number=number, now=NOW - MINUTE)
    waited_for = await followed_client(database, organization_number="310999999")
    altinn = InstantAltinn()
    await ask_what_is_due(database, altinn, RIGHTS, limit=3, now=NOW)
    assert altinn.asked["310999999"] == 1
    delegation, _ = await record_of(database, waited_for)
    assert delegation.state == State.ACTIVE


async def test_who_has_waited_for_long_has_no_longer_the_first_place(database: Database) -> None:
    await followed_client(database, organization_number="310999990", now=NOW - HOUR)
    begun = NOW - ONE_WAIT
    waiting = await followed_client(database, organization_number="310999999", now=begun)
    for minutes in (0, 5, 10):
        await watch(database, waiting, begun + minutes * MINUTE)
    altinn = InstantAltinn()
    await ask_what_is_due(database, altinn, RIGHTS, limit=1, now=NOW)
    assert altinn.asked == {"310999990": 1}


async def test_pauses_do_not_make_a_long_wait_a_new_one(database: Database) -> None:
    """A program that asks every five minutes, for ever, does so from the common share."""
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    for minutes in range(0, 30, 5):
        await watch(database, client_id, NOW + minutes * MINUTE)
        await ask_all(database, altinn, NOW + minutes * MINUTE)
    assert altinn.urgent == [True, True, False, False, False, False]
    later = NOW + 40 * MINUTE
    await watch(database, client_id, later)
    await ask_all(database, altinn, later)
    assert altinn.urgent[-1]


@pytest.mark.parametrize(
    ("age", "is_due"), [(5 * MINUTE, False), (5 * MINUTE + SECOND, True), (HOUR, True)]
)
async def test_something_sensitive_has_a_right_asked_about_again_if_it_was_seen_long_ago(
    database: Database, age: timedelta, is_due: bool
) -> None:
    client_id, other = await followed_client(database), await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    async with database.sessions.begin() as db:
        await ask_again(db, client_id, now=NOW + age)
    due_at = (await record_of(database, client_id))[1].due_at
    assert (due_at == NOW + age) is is_due
    assert (await record_of(database, other))[1].due_at != NOW + age
    altinn.failure = AltinnUnavailable("status 503")
    await ask_all(database, altinn, NOW + age)
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, poll.checked_at) == (State.ACTIVE, NOW)
    assert altinn.urgent == [True, True] + [False] * is_due


async def test_a_closed_client_is_not_asked_about(database: Database) -> None:
    client_id = await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(update(ClientConfiguration).values(status=ClientStatus.CLOSED))
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    delegation, poll = await record_of(database, client_id)
    assert altinn.asked.total() == 0
    assert (delegation.state, poll.due_at) == (State.NOT_REQUIRED, None)
