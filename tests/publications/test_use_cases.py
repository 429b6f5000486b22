"""Telling the issuer, one client at a time."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.token_issuer import RegistrationAtIssuer
from app.apis.queries import Catalogues
from app.changes.listener import ClientEvents
from app.changes.models import ClientChanges
from app.client_configurations.registration import registration_of
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import CLOCK, Database
from app.jobs import do_for_ever
from app.publications.leases import mark_failed, mark_published, next_lease
from app.publications.models import Publication
from app.publications.queries import DUE_CHANNEL, want_publication
from app.publications.token_issuer import Registration
from app.publications.use_cases import publish_one as publish_one_client
from app.publications.use_cases import republish_all
from app.worker import publication_job
from tests.examples import NOW
from tests.publications.conftest import PublishOne
from tests.publications.examples import (
    WITH_SYSTEM,
    RecordingIssuer,
    catalogue_applied,
    change,
    client_to_publish,
    new_key,
)


@pytest.fixture
async def client_id(database: Database) -> UUID:
    async with database.sessions.begin() as db:
        await catalogue_applied(db)
        return (await client_to_publish(db))[0]


async def publication_of(database: Database, client_id: UUID) -> Publication:
    async with database.sessions() as db:
        return await db.get_one(Publication, client_id)


async def keys_of(database: Database, client_id: UUID) -> list[ClientKey]:
    async with database.sessions() as db:
        keys = await db.scalars(select(ClientKey).where(ClientKey.client_id == client_id))
        return list(keys)


async def make_due(database: Database) -> None:
    async with database.sessions.begin() as db:
        await db.execute(update(Publication).values(due_at=CLOCK, leased_until=None))


async def test_a_new_client_is_told_and_its_key_becomes_active(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    assert await publish_one()
    assert not await publish_one()
    [(method, told, body)] = recording.told
    [key] = await keys_of(database, client_id)
    assert (method, told) == ("POST", str(client_id))
    assert body["client_name"] == "Fjord EPJ – Legekontoret"  # noqa: RUF001
    assert body["scope"] == "nhn:selvbetjening/client"
    assert body["redirect_uris"] == ["https://fjord.example/callback"]
    assert (key.state, key.active_at) == (KeyState.ACTIVE, NOW)
    row = await publication_of(database, client_id)
    assert (row.published, row.leased_until, row.attempts) == (row.wanted, None, 0)
    async with database.sessions() as db:
        # That its key is active, and that its scopes can be used: told at once, in one transaction.
        assert (await db.get_one(ClientChanges, client_id)).counter == 2


async def test_a_failure_is_noted_and_tried_again_after_a_wait(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.down = True
    assert await publish_one()
    row = await publication_of(database, client_id)
    assert (row.attempts, row.published) == (1, 0)
    assert row.last_failure is not None and "503" in row.last_failure  # noqa: PT018
    assert not await publish_one()
    recording.down = False
    await asyncio.sleep(0.25)
    assert await publish_one()
    row = await publication_of(database, client_id)
    assert (row.published, row.attempts, row.last_failure) == (1, 0, None)


async def test_a_change_makes_a_failed_publication_due_at_once(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.down = True
    for _ in range(8):
        await make_due(database)
        await publish_one()
    recording.down = False
    assert not await publish_one()
    async with database.sessions.begin() as db:
        await change(db, client_id, 1)
    assert await publish_one()
    assert recording.numbers(client_id) == [1]


async def test_one_client_that_cannot_be_told_holds_up_no_other(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    async with database.sessions.begin() as db:
        other, _ = await client_to_publish(db)
        broken = await db.get_one(ClientConfiguration, client_id)
        broken.client_system_id = "a system that no catalogue has"
    assert await publish_one()
    assert await publish_one()
    assert [told for _, told, _ in recording.told] == [str(other)]
    row = await publication_of(database, client_id)
    assert row.last_failure == "not sent: KeyError"


async def test_a_change_during_the_call_goes_out_at_once_after_it(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.may_go_on.clear()
    publishing = asyncio.create_task(publish_one())
    await recording.called.wait()
    async with database.sessions.begin() as db:
        await change(db, client_id, 1)
    assert not await publish_one()
    recording.may_go_on.set()
    assert await publishing
    row = await publication_of(database, client_id)
    assert (row.published, row.wanted) == (1, 2)
    assert await publish_one()
    assert recording.numbers(client_id) == [1]


async def test_a_key_that_was_added_during_the_call_waits_for_the_next(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.may_go_on.clear()
    publishing = asyncio.create_task(publish_one())
    await recording.called.wait()
    async with database.sessions.begin() as db:
        db.add(new_key(client_id))
        await want_publication(db, client_id)
    recording.may_go_on.set()
    assert await publishing
    states = sorted(key.state for key in await keys_of(database, client_id))
    assert states == [KeyState.ACTIVATING, KeyState.ACTIVE]
    assert await publish_one()
    assert {key.state for key in await keys_of(database, client_id)} == {KeyState.ACTIVE}


@pytest.mark.parametrize("fails", [False, True])
async def test_a_lease_gives_back_its_own_client_alone(
    database: Database, client_id: UUID, fails: bool
) -> None:
    """Two may be taken in one microsecond."""
    async with database.sessions.begin() as db:
        other, _ = await client_to_publish(db)
    async with database.writes.acquire() as connection:
        lease = await next_lease(connection, timedelta(seconds=15))
        assert lease is not None
        async with database.sessions.begin() as db:
            await db.execute(update(Publication).values(leased_until=lease.until))
        if fails:
            await mark_failed(connection, lease, "away", timedelta(seconds=1))
        else:
            await mark_published(connection, lease)
    [left] = {client_id, other} - {lease.client_id}
    row = await publication_of(database, left)
    assert (row.published, row.leased_until, row.last_failure) == (0, lease.until, None)


async def test_whoever_lost_his_lease_says_nothing_of_what_he_sent(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    """His call may have reached the issuer after a newer one: it is told once more."""
    recording.may_go_on.clear()
    publishing = asyncio.create_task(publish_one())
    await recording.called.wait()
    async with database.sessions.begin() as db:
        await change(db, client_id, 1)
        await db.execute(update(Publication).values(leased_until=None))
    recording.may_go_on.set()
    await publishing
    row = await publication_of(database, client_id)
    assert (row.published, row.wanted) == (0, 3)
    assert await publish_one()
    row = await publication_of(database, client_id)
    assert (row.published, row.wanted) == (3, 3)


async def test_a_lease_whose_holder_died_runs_out(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.may_go_on.clear()
    publishing = asyncio.create_task(publish_one())
    await recording.called.wait()
    publishing.cancel()
    await asyncio.wait([publishing])
    recording.may_go_on.set()
    assert not await publish_one()
    async with database.sessions.begin() as db:
        await db.execute(update(Publication).values(leased_until=CLOCK))
    assert await publish_one()
    assert (await publication_of(database, client_id)).published == 1


async def test_a_blocked_client_keeps_its_place_and_nothing_else(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    await set_status(database, client_id, ClientStatus.BLOCKED)
    assert await publish_one()
    body = recording.told[-1][2]
    assert (body["blocked"], body["jwks"], body["scope"]) == (True, {"keys": []}, "")
    [key] = await keys_of(database, client_id)
    assert key.state == KeyState.ACTIVATING
    await set_status(database, client_id, ClientStatus.ACTIVE)
    assert await publish_one()
    body = recording.told[-1][2]
    assert (body["blocked"], body["scope"]) == (False, "nhn:selvbetjening/client")


async def test_a_closed_client_is_withdrawn(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    await publish_one()
    await set_status(database, client_id, ClientStatus.CLOSED)
    assert await publish_one()
    assert recording.told[-1][:2] == ("DELETE", str(client_id))
    row = await publication_of(database, client_id)
    assert row.published == row.wanted


async def set_status(database: Database, client_id: UUID, status: ClientStatus) -> None:
    async with database.sessions.begin() as db:
        (await db.get_one(ClientConfiguration, client_id)).status = status
        await want_publication(db, client_id)


async def test_an_issuer_that_has_lost_everything_is_told_again(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    async with database.sessions.begin() as db:
        other, _ = await client_to_publish(db)
    while await publish_one():
        pass
    recording.told.clear()
    recording._known.clear()
    assert await republish_all(database.sessions) == 2
    while await publish_one():
        pass
    assert {(method, told) for method, told, _ in recording.told} == {
        ("POST", str(client_id)),
        ("POST", str(other)),
    }


@pytest.mark.race
async def test_a_change_cannot_slip_in_between_a_version_and_what_is_read_for_it(
    database: Database, issuer: RegistrationAtIssuer, recording: RecordingIssuer, client_id: UUID
) -> None:
    changing: list[asyncio.Task[None]] = []

    async def make_change() -> None:
        async with database.sessions.begin() as db:
            await change(db, client_id, 1)

    async def slowly_composed(db: AsyncSession, client_id: UUID) -> Registration | None:
        registration = await registration_of(db, client_id, WITH_SYSTEM)
        if not changing:
            changing.append(asyncio.create_task(make_change()))
            await asyncio.wait(changing, timeout=0.2)
        return registration

    async def keys_published(*_: object) -> None:
        """Not what this is about."""

    async def publish() -> bool:
        return await publish_one_client(
            database,
            issuer,
            registration_of=slowly_composed,
            keys_published=keys_published,
        )

    assert await publish()
    await changing[0]
    while await publish():
        pass
    assert recording.numbers(client_id) == [1]


@pytest.mark.race
async def test_eight_at_once_tell_of_each_client_in_order_and_one_by_one(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer, client_id: UUID
) -> None:
    recording.delay = 0.005
    async with database.sessions.begin() as db:
        others = [(await client_to_publish(db))[0] for _ in range(2)]
    clients = [client_id, *others]
    changes = 20
    changed = asyncio.Event()

    async def publish_all() -> None:
        while await publish_one() or not changed.is_set():  # noqa: ASYNC110  # as the worker does
            await asyncio.sleep(0)

    async def change_all(client: UUID) -> None:
        for number in range(1, changes + 1):
            async with database.sessions.begin() as db:
                await change(db, client, number)
            await asyncio.sleep(0.003)

    publishers = [asyncio.create_task(publish_all()) for _ in range(8)]
    await asyncio.gather(*(change_all(client) for client in clients))
    changed.set()
    await asyncio.gather(*publishers)
    await make_due(database)
    while await publish_one():
        pass

    assert not recording.met
    for client in clients:
        numbers = recording.numbers(client)
        assert numbers == sorted(numbers)
        assert numbers[-1] == changes
        row = await publication_of(database, client)
        assert row.published == row.wanted == changes + 1


async def test_a_client_that_is_not_there_is_withdrawn(
    database: Database, publish_one: PublishOne, recording: RecordingIssuer
) -> None:
    """As after a draft whose confirmation was rolled back elsewhere: nothing stays due for ever."""
    nobody = uuid4()
    async with database.sessions.begin() as db:
        await catalogue_applied(db)
        await want_publication(db, nobody)
    assert await publish_one()
    row = await publication_of(database, nobody)
    assert row.published == row.wanted


async def test_an_announcement_wakes_the_worker(
    database: Database, issuer: RegistrationAtIssuer, recording: RecordingIssuer, client_id: UUID
) -> None:
    """It does not come by and look: the next time it would is far away."""
    sessions = database.sessions
    stopping = asyncio.Event()
    async with ClientEvents(database.url, [DUE_CHANNEL]) as due:
        job = publication_job(database, issuer, Catalogues(sessions), lambda: NOW, due.heard)
        job = replace(job, every=timedelta(hours=1))
        working = asyncio.create_task(
            do_for_ever([job], stopping, within=timedelta(seconds=5)), name="worker"
        )
        await asyncio.wait_for(due.listening.wait(), 5)
        for number in range(1, 4):
            async with sessions.begin() as db:
                await change(db, client_id, number)
            await recording.heard_of(client_id, number)
        stopping.set()
        await working
