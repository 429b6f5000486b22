"""Those who change one client at the same moment wait for each other, and never crosswise."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from app.audit.trail import Happened
from app.changes.queries import client_changed
from app.client_keys.adding import ADD_KEY
from app.database import Database
from app.publications.queries import want_publication
from tests.approvals.examples import new_client
from tests.examples import NOW
from tests.publications.examples import new_key

ROUNDS = 40


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    await database.open()
    yield database
    await database.close()


async def add_keys(database: Database, client_id: UUID) -> None:
    for _ in range(ROUNDS):
        key = new_key(client_id)
        async with database.writes.acquire() as connection:
            await connection.execute("DELETE FROM client_keys")  # lest there is no room
            await ADD_KEY.row(
                connection,
                proof_thumbprint=None,
                thumbprint=key.thumbprint,
                client_id=client_id,
                kid=key.kid,
                public_key=msgspec.json.encode(key.public_key).decode(),
                origin=key.origin,
                state="activating",
                created_at=NOW,
                expires_at=NOW + timedelta(days=1),
                happened=Happened.KEY_ADDED.value,
                actor="test",
                subject=str(client_id),
                source=None,
                request_id=None,
                details="{}",
            )


async def change(database: Database, client_id: UUID) -> None:
    """As an owner's decision does it, who does not ask the client."""
    for _ in range(ROUNDS):
        async with database.sessions.begin() as db:
            await client_changed(db, client_id)
            await want_publication(db, client_id)


@pytest.mark.race
async def test_a_new_key_and_another_change_do_not_deadlock(database: Database) -> None:
    async with database.sessions.begin() as db:
        client_id = await new_client(db)
    await asyncio.gather(
        *(add_keys(database, client_id) for _ in range(3)),
        *(change(database, client_id) for _ in range(3)),
    )
