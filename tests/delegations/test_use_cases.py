"""What a client is told of its delegations, and what it can have done about them."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import UNSET
from sqlalchemy import update

from app.access.callers import CallingClient, Origin
from app.approvals.rules import ReasonCode
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.clients.standing import ClientBlocked
from app.database import Database
from app.delegations import use_cases
from app.delegations.altinn import AltinnUnavailable, MadeRequest, Question, RequestsOff
from app.delegations.answers import Found, RequestStatus, Source
from app.delegations.following import follow
from app.delegations.marking import register_said
from app.delegations.models import Delegation
from app.delegations.rules import Actor, AltinnAway, DelegationNotFound, State
from app.delegations.wire import DelegationAnswer, DelegationRequestAnswer
from app.organizations.register import Mark, RegisterEntry, Verdict
from app.problems import TooManyRequests
from app.state_machine import WrongState
from tests.approvals.examples import CLIENT_SCOPE, ask
from tests.delegations.examples import (
    RIGHT,
    SCOPE,
    SUPPLIER,
    WITH_RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
    record_of,
)
from tests.examples import NOW, ORGANIZATION

PAGES = "https://am.ui.altinn.no/accessmanagement/ui"
SECOND = timedelta(seconds=1)


def caller(client_id: UUID) -> CallingClient:
    return CallingClient(client_id=client_id, key_thumbprint=None, origin=Origin("::1", "r"))


async def only_one(database: Database, client_id: UUID) -> DelegationAnswer:
    page = await use_cases.delegations_of(
        database, WITH_RIGHT, caller(client_id), pages_url=PAGES, now=NOW, limit=10
    )
    [found] = page.items
    return found


async def test_a_missing_right_says_who_must_act_and_where(database: Database) -> None:
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(Found.NOT_GIVEN), NOW)
    answer = await only_one(database, client_id)
    assert (answer.state, answer.awaiting) == (State.MISSING, Actor.ACCESS_MANAGER)
    assert (answer.giver, answer.giver_name) == (ORGANIZATION, "FJORDBYEN LEGESENTER AS")
    assert (answer.receiver, answer.receiver_name) == (SUPPLIER, "Fjord Systemer AS")
    assert (answer.right, answer.right_name) == (RIGHT.name, RIGHT.title)
    assert answer.reason_code == ReasonCode.DELEGATION_MISSING
    assert answer.reason is not UNSET
    assert "FJORDBYEN LEGESENTER AS (310000019)" in answer.reason.nn
    assert (answer.source, answer.checked_at) == (Source.MASKINPORTEN, NOW)
    assert (answer.next_check_at, answer.stale) == (NOW + 5 * SECOND, False)
    assert (answer.action_url, answer.request_id) == (PAGES, None)


async def test_what_altinn_never_answered_is_unknown_and_stale_and_not_missing(
    database: Database,
) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    altinn.failure = AltinnUnavailable("status 503")
    await ask_all(database, altinn, NOW)
    answer = await only_one(database, client_id)
    assert (answer.state, answer.awaiting, answer.stale) == (State.UNKNOWN, Actor.PLATFORM, True)
    assert answer.reason_code == ReasonCode.DELEGATION_UNKNOWN
    assert (answer.checked_at, answer.source, answer.action_url) == (None, None, None)


async def test_an_outage_shows_the_last_answer_with_its_age(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    await ask_all(database, altinn, NOW)
    altinn.failure = AltinnUnavailable("status 503")
    await ask_all(database, altinn, NOW + timedelta(days=1))
    answer = await only_one(database, client_id)
    assert (answer.state, answer.checked_at, answer.stale) == (State.ACTIVE, NOW, True)
    assert (answer.awaiting, answer.reason_code, answer.reason) == (None, None, UNSET)


async def test_what_has_become_of_the_giver_is_told(database: Database) -> None:
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(), NOW)
    assert (await only_one(database, client_id)).giver_mark is None
    merged = RegisterEntry(Verdict.DELETED, "FJORDBYEN LEGESENTER AS")
    async with database.sessions.begin() as db:
        await register_said(db, ORGANIZATION, merged, now=NOW)
    answer = await only_one(database, client_id)
    assert (answer.state, answer.awaiting) == (State.REVOKED_SOURCE, Actor.END_USER)
    assert (answer.giver_mark, answer.action_url) == (Mark.DELETED, None)
    assert answer.reason_code == ReasonCode.DELEGATION_SOURCE_GONE
    assert answer.reason is not UNSET
    assert "slått sammen" in answer.reason.nb


async def test_pages_hold_every_record_once(database: Database) -> None:
    client_id = await followed_client(database)
    async with database.sessions.begin() as db:
        for number in range(6):
            db.add(
                Delegation(
                    id=uuid4(),
                    client_id=client_id,
                    right=f"right {number}",
                    giver=ORGANIZATION,
                    receiver=SUPPLIER,
                    since=NOW,
                )
            )
        await db.flush()
    async with database.reads.acquire() as connection:
        await connection.execute(
            "INSERT INTO delegation_polls (delegation_id, failures)"
            " SELECT id, 0 FROM delegations ON CONFLICT DO NOTHING"
        )
    seen: list[UUID] = []
    after: UUID | None = None
    while True:
        page = await use_cases.delegations_of(
            database,
            WITH_RIGHT,
            caller(client_id),
            pages_url=None,
            now=NOW,
            after=after,
            limit=3,
        )
        seen += [item.id for item in page.items]
        if page.next_cursor is None:
            break
        after = UUID(page.next_cursor)
    assert len(seen) == len(set(seen)) == 7


async def test_reading_counts_as_waiting(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    await ask_all(database, altinn, NOW)
    later = NOW + timedelta(minutes=5)
    await ask_all(database, altinn, later)
    await use_cases.delegations_of(
        database, WITH_RIGHT, caller(client_id), pages_url=None, now=later
    )
    _, poll = await record_of(database, client_id)
    assert (poll.due_at, poll.watched_until) == (later, later + 30 * SECOND)


async def test_another_clients_delegation_is_not_there(database: Database) -> None:
    mine = await followed_client(database)
    others = await followed_client(database)
    delegation, _ = await record_of(database, others)
    altinn = InstantAltinn()
    for call in (
        use_cases.delegations_of(
            database, WITH_RIGHT, caller(mine), pages_url=None, now=NOW, only=delegation.id
        ),
        use_cases.check_now(
            database, WITH_RIGHT, caller(mine), delegation.id, pages_url=None, now=NOW
        ),
        use_cases.request_right(
            database,
            altinn,
            WITH_RIGHT,
            caller(mine),
            delegation.id,
            has_seen=lambda _: None,
            once=None,
            pages_url=None,
            now=NOW,
        ),
    ):
        with pytest.raises(DelegationNotFound):
            await call


async def test_a_blocked_client_is_told_nothing(database: Database) -> None:
    client_id = await followed_client(database)
    async with database.sessions.begin() as db:
        await db.execute(update(ClientConfiguration).values(status=ClientStatus.BLOCKED))
    with pytest.raises(ClientBlocked):
        await only_one(database, client_id)


async def test_a_check_answers_with_what_altinn_says(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    await ask_all(database, altinn, NOW)
    delegation, _ = await record_of(database, client_id)
    altinn.found = Found.GIVEN

    async def worker() -> None:
        await asyncio.sleep(0.1)
        await ask_all(database, altinn, NOW + SECOND)

    working = asyncio.create_task(worker())
    answer = await use_cases.check_now(
        database,
        WITH_RIGHT,
        caller(client_id),
        delegation.id,
        pages_url=None,
        now=NOW + SECOND,
    )
    await working
    assert (answer.state, answer.checked_at) == (State.ACTIVE, NOW + SECOND)
    with pytest.raises(TooManyRequests) as refused:
        await use_cases.check_now(
            database,
            WITH_RIGHT,
            caller(client_id),
            delegation.id,
            pages_url=None,
            now=NOW + 4.5 * SECOND,
        )
    assert refused.value.headers == {"Retry-After": "7"}


async def test_a_check_waits_no_longer_than_a_second(database: Database) -> None:
    client_id = await followed_client(database)
    delegation, _ = await record_of(database, client_id)
    async with asyncio.timeout(1.5):
        answer = await use_cases.check_now(
            database, WITH_RIGHT, caller(client_id), delegation.id, pages_url=None, now=NOW
        )
    assert answer.state == State.UNKNOWN


async def request(
    database: Database, client_id: UUID, altinn: InstantAltinn | None
) -> DelegationRequestAnswer:
    delegation, _ = await record_of(database, client_id)
    requested = await use_cases.request_right(
        database,
        altinn,
        WITH_RIGHT,
        caller(client_id),
        delegation.id,
        has_seen=lambda _: None,
        once=None,
        pages_url=PAGES,
        now=NOW,
    )
    return requested.answer


async def test_a_request_is_made_once_and_followed_to_its_end(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    await ask_all(database, altinn, NOW)
    first = await request(database, client_id, altinn)
    assert (first.requested, first.action_url) == (True, "https://a/1")
    altinn.failure = AltinnUnavailable("not to be asked again")
    assert await request(database, client_id, altinn) == first
    altinn.failure = None
    assert (await only_one(database, client_id)).state == State.REQUEST_DRAFT

    altinn.status = RequestStatus.APPROVED
    await ask_all(database, altinn, NOW + SECOND)
    answer = await only_one(database, client_id)
    assert (answer.state, answer.awaiting) == (State.APPROVED_PROPAGATING, Actor.ALTINN)
    assert answer.action_url is None
    altinn.found = Found.GIVEN
    await ask_all(database, altinn, NOW + 30 * SECOND)
    assert (await only_one(database, client_id)).state == State.ACTIVE
    with pytest.raises(WrongState):
        await request(database, client_id, altinn)


async def test_two_requests_at_once_are_one(database: Database) -> None:
    class ManyDrafts(InstantAltinn):
        """As Altinn does when the earlier request is no draft any longer."""

        async def make_request(self, question: Question) -> MadeRequest:
            self.asked["made"] += 1
            return MadeRequest(f"draft {self.asked['made']}", RequestStatus.DRAFT, "https://a/1")

    client_id = await followed_client(database)
    altinn = ManyDrafts()
    answers = await asyncio.gather(*(request(database, client_id, altinn) for _ in range(5)))
    assert len({answer.request_id for answer in answers}) == 1


class NoRequests(InstantAltinn):
    async def make_request(self, question: Question) -> MadeRequest:
        raise RequestsOff


@pytest.mark.parametrize("altinn", [None, NoRequests()])
async def test_where_altinn_takes_no_requests_the_steps_are_told(
    database: Database, altinn: InstantAltinn | None
) -> None:
    client_id = await followed_client(database)
    answer = await request(database, client_id, altinn)
    assert (answer.requested, answer.request_id, answer.action_url) == (False, None, PAGES)
    assert answer.steps is not UNSET
    assert "Databehandlar" in answer.steps.nn
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.UNKNOWN


async def test_a_request_that_altinn_does_not_answer_changes_nothing(database: Database) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn()
    altinn.failure = AltinnUnavailable("status 503")
    with pytest.raises(AltinnAway):
        await request(database, client_id, altinn)
    delegation, _ = await record_of(database, client_id)
    assert (delegation.state, delegation.request_id) == (State.UNKNOWN, None)


async def change(database: Database, client_id: UUID, *scopes: str) -> None:
    async with database.sessions.begin() as db:
        client = await db.get_one(ClientConfiguration, client_id, with_for_update=True)
        await ask(db, client_id, list(scopes))
        await follow(db, client, WITH_RIGHT, now=NOW)


async def test_a_right_that_is_not_needed_is_not_asked_about_and_its_request_withdrawn(
    database: Database,
) -> None:
    client_id = await followed_client(database)
    altinn = InstantAltinn(Found.NOT_GIVEN)
    made = await request(database, client_id, altinn)
    await change(database, client_id, CLIENT_SCOPE)
    await ask_all(database, altinn, NOW)
    assert altinn.withdrawn == [made.request_id]
    assert altinn.asked.total() == 0
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, delegation.request_id) == (State.NOT_REQUIRED, None)
    assert poll.due_at is None

    await change(database, client_id, CLIENT_SCOPE, SCOPE)
    delegation, poll = await record_of(database, client_id)
    assert (delegation.state, poll.due_at, poll.checked_at) == (State.UNKNOWN, NOW, None)


async def test_the_same_scopes_again_leave_the_record_as_it_is(database: Database) -> None:
    client_id = await followed_client(database)
    await ask_all(database, InstantAltinn(), NOW)
    await change(database, client_id, SCOPE, CLIENT_SCOPE)
    delegation, _ = await record_of(database, client_id)
    assert delegation.state == State.ACTIVE


async def test_an_organization_need_not_give_itself_anything(database: Database) -> None:
    client_id = await followed_client(database, organization_number=SUPPLIER)
    page = await use_cases.delegations_of(
        database, WITH_RIGHT, caller(client_id), pages_url=None, now=NOW
    )
    assert page.items == []
