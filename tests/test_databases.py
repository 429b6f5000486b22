"""The tests' own databases."""

import asyncio

import asyncpg
import pytest

from tests.databases import address_of, new_database


async def tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        )
    finally:
        await connection.close()
    assert isinstance(found, int)
    return found


async def test_a_test_has_a_migrated_database_of_its_own(database_url: str) -> None:
    assert await tables(database_url) > 1


async def test_an_empty_database_is_empty(empty_database_url: str) -> None:
    assert await tables(empty_database_url) == 0


def test_an_address_keeps_its_host_and_its_query() -> None:
    for server, expected in [
        ("postgresql://u@/postgres?host=/tmp/x", "postgresql://u@/other?host=/tmp/x"),
        ("postgresql://u:p@h:5/a?ssl=on", "postgresql://u:p@h:5/other?ssl=on"),
    ]:
        assert address_of(server, "other") == expected


async def test_a_database_is_dropped_while_somebody_is_connected(server_url: str) -> None:
    making = new_database(server_url)
    connection = await asyncpg.connect(await asyncio.to_thread(making.__enter__))
    await asyncio.to_thread(making.__exit__, None, None, None)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await connection.execute("SELECT 1")
    connection.terminate()
