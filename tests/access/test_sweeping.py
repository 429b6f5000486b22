"""Removing what has served its time, by the database's clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from app.access.models import LoginAttempt, LoginSession, RequestCount, UsedProof
from app.access.sweeping import BATCH, SWEEPS
from app.database import Base, Database

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.engine.dispose()


def ago(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


async def add(database: Database, *rows: Base) -> None:
    async with database.sessions.begin() as db:
        db.add_all(rows)


async def count(database: Database, table: type[Base]) -> int | None:
    async with database.sessions() as db:
        return await db.scalar(select(func.count()).select_from(table))


def proof(age: timedelta) -> UsedProof:
    return UsedProof(key_thumbprint="key", jti=uuid4().hex, usable_until=ago(age))


async def test_a_used_proof_stays_ten_minutes_beyond_its_end(database: Database) -> None:
    await add(database, *map(proof, [-MINUTE, MINUTE, 9 * MINUTE, 11 * MINUTE, DAY]))
    assert not await SWEEPS["used proofs"](database.sessions)
    assert await count(database, UsedProof) == 3


async def test_what_is_much_goes_in_several_pieces(database: Database) -> None:
    await add(database, *(proof(DAY) for _ in range(BATCH + 1)))
    assert await SWEEPS["used proofs"](database.sessions)
    assert await count(database, UsedProof) == 1
    assert not await SWEEPS["used proofs"](database.sessions)
    assert await count(database, UsedProof) == 0


async def test_a_row_that_somebody_holds_is_left_for_later(database: Database) -> None:
    held, free = proof(DAY), proof(DAY)
    await add(database, held, free)
    async with database.sessions.begin() as db:
        await db.get_one(UsedProof, ("key", held.jti), with_for_update=True)
        await SWEEPS["used proofs"](database.sessions)
        assert await count(database, UsedProof) == 1


async def test_a_count_goes_soon_after_its_window(database: Database) -> None:
    for end in (-DAY, -MINUTE, 9 * MINUTE, 11 * MINUTE):
        await add(
            database,
            RequestCount(
                name=str(end), window_start=ago(end + MINUTE), window_end=ago(end), count=1
            ),
        )
    await SWEEPS["request counts"](database.sessions)
    assert await count(database, RequestCount) == 3


async def test_logins_that_are_over_are_removed(database: Database) -> None:
    for minutes in (-10, 0.5, 1.5):
        end = ago(minutes * MINUTE)
        attempt = LoginAttempt(
            state_digest=uuid4().bytes,
            client_id=uuid4(),
            nonce="n",
            code_verifier="v",
            language="nb",
            expires_at=end,
        )
        session = LoginSession(
            digest=uuid4().bytes,
            client_id=uuid4(),
            pseudonym="p",
            name="Kari",
            security_level=4,
            auth_time=end,
            expires_at=end,
        )
        await add(database, attempt, session)
    await SWEEPS["login attempts"](database.sessions)
    await SWEEPS["login sessions"](database.sessions)
    assert await count(database, LoginAttempt) == 2
    assert await count(database, LoginSession) == 2


async def test_a_version_that_does_not_know_when_a_count_is_over_goes_on(
    database: Database,
) -> None:
    async with database.sessions.begin() as db:
        old = "INSERT INTO request_counts (name, window_start, count) VALUES ('a', now(), 1)"
        await db.execute(text(old))
    assert not await SWEEPS["request counts"](database.sessions)
    assert await count(database, RequestCount) == 1
