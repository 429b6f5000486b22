"""A proof is good once, whichever process it comes to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import func, select

from app.access.dpop import Proof, ProofRejected
from app.access.models import UsedProof
from app.access.replay import spend
from app.database import Database
from tests.examples import NOW

PROOF = Proof("thumbprint", "jti", NOW + timedelta(seconds=60))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def spent(database: Database, proof: Proof, *, changes: bool = False) -> bool:
    pool = database.writes if changes else database.reads
    try:
        async with pool.acquire() as connection:
            await spend(connection, proof)
    except ProofRejected:
        return False
    return True


async def test_a_proof_is_spent_once_for_reading_and_changing_alike(database: Database) -> None:
    assert await spent(database, PROOF)
    assert not await spent(database, PROOF)
    assert not await spent(database, PROOF, changes=True)


async def test_a_jti_belongs_to_the_key_that_signed_it(database: Database) -> None:
    assert await spent(database, PROOF)
    assert await spent(database, Proof("another", "jti", NOW))
    assert await spent(database, Proof("thumbprint", "Jti", NOW))


@pytest.mark.race
@pytest.mark.parametrize("changes", [False, True])
async def test_of_eight_processes_one_takes_a_proof(database_url: str, changes: bool) -> None:
    processes = [Database(database_url) for _ in range(8)]
    await asyncio.gather(*(process.open() for process in processes))
    for attempt in range(5):
        proof = Proof("thumbprint", f"jti {attempt}", NOW)
        taken = await asyncio.gather(
            *(spent(process, proof, changes=changes) for process in processes)
        )
        assert sum(taken) == 1
    async with processes[0].sessions() as db:
        assert await db.scalar(select(func.count()).select_from(UsedProof)) == 5
    await asyncio.gather(*(process.close() for process in processes))


async def test_a_change_spends_its_proof_durably_and_a_read_quickly(database: Database) -> None:
    """Both tables are logged: after a crash a proof that was spent for a change is known."""

    async def setting(pool: asyncpg.Pool) -> str:
        async with pool.acquire() as connection:
            return str(await connection.fetchval("SHOW synchronous_commit"))

    assert (await setting(database.reads), await setting(database.writes)) == ("off", "on")
    async with database.reads.acquire() as connection:
        kind = await connection.fetchval(
            "SELECT relpersistence FROM pg_class WHERE relname = 'used_proofs'"
        )
    assert kind == b"p"
