"""Adding keys at the same moment: one statement, and no lock that lasts longer than it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from app.access.callers import CallingClient, Origin
from app.access.public_jwk import PublicKey, acceptable_jwk
from app.audit.models import AuditEvent
from app.changes.queries import client_changed
from app.client_keys.models import ClientKey
from app.client_keys.rules import MOST_LIVE_KEYS, KeyState, KeyTaken, KidTaken, TooManyKeys
from app.client_keys.use_cases import AddedKey, add_key
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.clients.standing import ClientBlocked, ClientUnknown
from app.database import Database
from app.publications.models import Publication
from tests.approvals.examples import new_client
from tests.examples import NOW
from tests.installers.keys import ec_key

pytestmark = pytest.mark.race


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=20)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def client_id(database: Database) -> UUID:
    async with database.sessions.begin() as db:
        return await new_client(db)


def some_key(**more: str) -> PublicKey:
    return acceptable_jwk(ec_key(**more).members, pointer="#")


async def add(database: Database, client_id: UUID, key: PublicKey) -> AddedKey:
    caller = CallingClient(client_id, None, Origin("127.0.0.1", "test"))
    return await add_key(database, caller, key, life_days=90, now=NOW)


async def add_all(
    database: Database, client_id: UUID, keys: list[PublicKey]
) -> list[AddedKey | BaseException]:
    asked = (add(database, client_id, key) for key in keys)
    return await asyncio.gather(*asked, return_exceptions=True)


async def keys_and_events(database: Database, client_id: UUID) -> tuple[int | None, int | None]:
    keys = select(func.count()).where(ClientKey.client_id == client_id)
    events = select(func.count()).where(AuditEvent.subject == str(client_id))
    async with database.sessions() as db:
        return await db.scalar(keys), await db.scalar(events)


async def test_of_many_keys_at_once_as_many_are_added_as_there_is_room_for(
    database: Database, client_id: UUID
) -> None:
    results = await add_all(database, client_id, [some_key() for _ in range(MOST_LIVE_KEYS + 6)])
    added = [one for one in results if isinstance(one, AddedKey)]
    refused = [one for one in results if not isinstance(one, AddedKey)]
    assert len(added) == MOST_LIVE_KEYS
    assert {type(one) for one in refused} == {TooManyKeys}
    assert await keys_and_events(database, client_id) == (MOST_LIVE_KEYS, MOST_LIVE_KEYS)
    versions = {one.published_version for one in added}
    assert len(versions) == MOST_LIVE_KEYS


async def test_one_key_at_once_is_added_once_and_answered_alike(
    database: Database, client_id: UUID
) -> None:
    key = some_key()
    results = await add_all(database, client_id, [key] * 8)
    answers = {one.answer.expiration for one in results if isinstance(one, AddedKey)}
    assert len(answers) == 1
    assert [one for one in results if not isinstance(one, AddedKey)] == []
    assert await keys_and_events(database, client_id) == (1, 1)


async def test_one_key_id_at_once_is_for_one_key(database: Database, client_id: UUID) -> None:
    results = await add_all(database, client_id, [some_key(kid="same") for _ in range(6)])
    assert sum(isinstance(one, AddedKey) for one in results) == 1
    assert sum(isinstance(one, KidTaken) for one in results) == 5


async def test_one_key_at_once_is_for_one_client(database: Database) -> None:
    async with database.sessions.begin() as db:
        clients = [await new_client(db) for _ in range(6)]
    key = some_key()
    results = await asyncio.gather(
        *(add(database, client, key) for client in clients), return_exceptions=True
    )
    assert sum(isinstance(one, AddedKey) for one in results) == 1
    assert sum(isinstance(one, KeyTaken) for one in results) == 5


async def test_a_key_waits_for_whoever_has_the_client_and_sees_what_he_did(
    database: Database, client_id: UUID
) -> None:
    async with database.sessions.begin() as db:
        await db.execute(
            update(ClientConfiguration)
            .where(ClientConfiguration.client_id == client_id)
            .values(status=ClientStatus.BLOCKED)
        )
        adding = asyncio.create_task(add(database, client_id, some_key()))
        await asyncio.sleep(0.2)
        assert not adding.done()
    with pytest.raises(ClientBlocked):
        await adding
    assert await keys_and_events(database, client_id) == (0, 0)


async def test_keys_are_counted_anew_when_the_client_has_changed_meanwhile(
    database: Database, client_id: UUID
) -> None:
    for _ in range(MOST_LIVE_KEYS):
        await add(database, client_id, some_key())
    async with database.sessions.begin() as db:
        # As the job does it that ends keys: the key and the counter, but not the client.
        await db.execute(
            update(ClientKey).where(ClientKey.client_id == client_id).values(state=KeyState.RETIRED)
        )
        await client_changed(db, client_id)
    assert (await add(database, client_id, some_key())).published_version is not None


async def test_the_publication_is_wanted_with_the_key(database: Database, client_id: UUID) -> None:
    first = await add(database, client_id, some_key())
    second = await add(database, client_id, some_key())
    assert (first.published_version, second.published_version) == (1, 2)
    async with database.sessions() as db:
        due = await db.get(Publication, client_id)
    assert due is not None
    assert (due.wanted, due.published, due.attempts) == (2, 0, 0)
    assert first.answer.expiration > NOW + timedelta(days=89)


async def test_a_client_that_is_not_there_gets_no_key(database: Database) -> None:
    with pytest.raises(ClientUnknown):
        await add(database, uuid4(), some_key())
