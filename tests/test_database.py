"""How long a statement may take whose callers wait, and what is told of one that fails."""

import logging
from traceback import format_exception

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.log_lines import JsonLines
from app.web.problem_details import is_outage
from tests.serving import Service

SLOW = "SELECT pg_sleep(20)"


async def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    database = Database(database_url, longest_statement="50ms")
    await database.open()
    try:
        for connections in (database.reads, database.writes):
            with pytest.raises(asyncpg.QueryCanceledError) as hot:
                async with connections.acquire() as connection:
                    await connection.execute(SLOW)
            assert is_outage(hot.value)
        with pytest.raises(DBAPIError) as other:
            async with database.sessions() as db:
                await db.execute(text(SLOW))
        assert is_outage(other.value)
    finally:
        await database.close()


async def test_the_service_has_such_a_limit_and_the_worker_has_not(
    service: Service, database_url: str
) -> None:
    shown = text("SHOW statement_timeout")
    async with service.database.sessions() as db:
        assert await db.scalar(shown) == "15s"
    worker = Database(database_url)
    async with worker.sessions() as db:
        assert await db.scalar(shown) != "15s"
    await worker.engine.dispose()


async def test_what_goes_wrong_with_a_row_is_told_without_its_values(database_url: str) -> None:
    database = Database(database_url)
    secret = "Kari Nordmann"
    broken = text("INSERT INTO usual_waits (step, subject) VALUES (:step, :subject)")
    with pytest.raises(DBAPIError) as refused:
        async with database.sessions.begin() as db:
            await db.execute(broken, {"step": secret, "subject": secret})
    error = refused.value
    assert secret not in str(error)
    whole = "".join(format_exception(error))
    assert f"({secret}, " in whole  # PostgreSQL repeats the row
    record = logging.LogRecord(
        "jobs", logging.ERROR, "jobs.py", 1, "failed", (), (type(error), error, error.__traceback__)
    )
    told = JsonLines().format(record)
    assert secret not in told
    assert "NotNullViolationError" in told
    assert "INSERT INTO usual_waits" in told
    assert "tests/test_database.py" in told
    await database.engine.dispose()
