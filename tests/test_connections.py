"""Connections are handed out again, mended, and never lost to whoever waits."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.connections import Connections

MOST = 2


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[Connections]:
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=MOST)
    connections = Connections(pool)
    yield connections
    assert connections.none_in_use
    await connections.close()


async def backend(connections: Connections) -> int:
    async with connections.acquire() as connection:
        pid: int = await connection.fetchval("SELECT pg_backend_pid()")
    return pid


async def test_a_connection_is_handed_out_again(connections: Connections) -> None:
    assert await backend(connections) == await backend(connections)


async def test_many_share_few_connections(connections: Connections) -> None:
    async def work() -> int:
        async with connections.acquire() as connection:
            await connection.execute("SELECT pg_sleep(0.002)")
            pid: int = connection.get_server_pid()
        return pid

    async with asyncio.timeout(10):
        used = await asyncio.gather(*(work() for _ in range(60)))
    assert len(set(used)) <= MOST


async def test_a_connection_that_was_lost_is_replaced(connections: Connections) -> None:
    first = await backend(connections)
    async with connections.acquire() as connection:
        await connection.close()
    assert await backend(connections) != first


async def test_a_failed_statement_costs_no_connection(connections: Connections) -> None:
    for _ in range(MOST + 1):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connections.acquire() as connection:
                await connection.execute("SELECT 1 / 0")
    assert await backend(connections)


async def test_whoever_gives_up_costs_no_connection(connections: Connections) -> None:
    async def long_work() -> None:
        async with connections.acquire() as connection:
            await connection.execute("SELECT pg_sleep(30)")

    for _ in range(3):
        tasks = [asyncio.create_task(long_work()) for _ in range(MOST + 3)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    async with asyncio.timeout(5):
        assert await backend(connections)
