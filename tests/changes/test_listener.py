"""Hearing of changes, and losing the connection on which they are heard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest

from app.changes.listener import ClientEvents
from tests.databases import execute

Silence = Callable[[], None]
CHANNELS = ["client_changed", "publication_done"]
SOON = 5.0


@pytest.fixture
async def events(database_url: str) -> AsyncIterator[ClientEvents]:
    async with ClientEvents(database_url, CHANNELS) as events:
        await asyncio.wait_for(events.listening.wait(), SOON)
        yield events


@pytest.fixture
async def announcer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def is_set(event: asyncio.Event, within: float = SOON) -> bool:
    try:
        await asyncio.wait_for(event.wait(), within)
    except TimeoutError:
        return False
    return True


async def announce(connection: asyncpg.Connection, payload: object, channel: int = 0) -> None:
    await connection.execute("SELECT pg_notify($1, $2)", CHANNELS[channel], str(payload))


@pytest.mark.parametrize("channel", [0, 1])
async def test_those_who_wait_for_a_client_are_woken_and_nobody_else(
    events: ClientEvents, announcer: asyncpg.Connection, channel: int
) -> None:
    ours, other = uuid4(), uuid4()
    with events.heard(ours) as first, events.heard(ours) as second, events.heard(other) as third:
        await announce(announcer, ours, channel)
        assert await is_set(first)
        assert await is_set(second)
        assert not await is_set(third, 0.1)


async def test_one_may_wait_for_any_client(
    events: ClientEvents, announcer: asyncpg.Connection
) -> None:
    with events.heard() as anything:
        await announce(announcer, uuid4())
        assert await is_set(anything)


async def test_an_announcement_without_a_client_concerns_all(
    events: ClientEvents, announcer: asyncpg.Connection
) -> None:
    with events.heard(uuid4()) as one, events.heard() as anything:
        await announce(announcer, "")
        assert await is_set(one)
        assert await is_set(anything)


async def test_who_waits_for_a_word_is_woken_by_nothing_else(
    events: ClientEvents, announcer: asyncpg.Connection
) -> None:
    ours = uuid4()
    with events.heard(ours) as changed, events.said(ours) as said, events.said(uuid4()) as other:
        await announce(announcer, ours)
        assert await is_set(changed)
        assert not said.is_set()
        await announce(announcer, f"{ours} 7", 1)
        assert await is_set(said)
        assert not other.is_set()
        assert events.last_word(ours) == "7"


async def test_who_waits_no_longer_leaves_nothing_behind(
    events: ClientEvents, announcer: asyncpg.Connection
) -> None:
    ours = uuid4()
    with events.heard(ours), events.heard(), events.said(ours):
        pass
    assert not events._waiters
    assert not events._waiters_for_words
    await announce(announcer, ours)


async def test_after_a_lost_connection_everybody_looks_again(
    events: ClientEvents, announcer: asyncpg.Connection
) -> None:
    """What was announced meanwhile is lost, so nobody can know that it was not for him."""
    ours = uuid4()
    with events.heard(ours) as news, events.heard() as anything, events.said(ours) as said:
        await announcer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert await is_set(news)
        assert await is_set(anything)
        assert await is_set(said)
        news.clear()
        await asyncio.wait_for(events.listening.wait(), SOON)
        await announce(announcer, ours)
        assert await is_set(news)


async def test_a_database_that_cannot_be_reached_is_waited_for(
    database_url: str, announcer: asyncpg.Connection
) -> None:
    name = (await announcer.fetchval("SELECT current_database()")).replace('"', "")
    server = database_url.replace(name, "postgres")
    await asyncio.to_thread(execute, server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    async with ClientEvents(database_url, CHANNELS) as events:
        with events.heard(uuid4()) as news:
            assert not await is_set(news, 0.3)
            await asyncio.to_thread(
                execute, server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'
            )
            assert await is_set(news)


async def test_a_connection_that_dies_silently_is_noticed(database_url: str) -> None:
    """Its packets go nowhere: only a heartbeat that stays unanswered tells."""
    async with (
        silenceable(database_url) as (url, silence),
        ClientEvents(url, CHANNELS, heartbeat=0.1, answer_within=0.3) as events,
    ):
        await asyncio.wait_for(events.listening.wait(), SOON)
        with events.heard(uuid4()) as news:
            silence()
            assert await is_set(news)


@asynccontextmanager
async def silenceable(database_url: str) -> AsyncIterator[tuple[str, Silence]]:
    """The database behind a wire that can be cut for the connections there are, without a word."""
    cut: list[asyncio.Event] = []
    ends: list[asyncio.StreamWriter] = []
    wires: list[asyncio.Task[None]] = []
    parts = urlsplit(database_url)
    socket_folder = parse_qs(parts.query).get("host")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = cut[-1]
        while data := await reader.read(65_536):
            if not mine.is_set():
                writer.write(data)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = asyncio.current_task()
        assert wire is not None
        wires.append(wire)
        cut.append(asyncio.Event())
        if socket_folder:
            near, far = await asyncio.open_unix_connection(
                f"{socket_folder[0]}/.s.PGSQL.{parts.port or 5432}"
            )
        else:
            near, far = await asyncio.open_connection(parts.hostname, parts.port or 5432)
        ends.extend((far, writer))
        await asyncio.gather(pump(reader, far), pump(near, writer), return_exceptions=True)

    def silence() -> None:
        cut[-1].set()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user = f"{parts.username}@" if parts.username else ""
    try:
        yield f"postgresql://{user}127.0.0.1:{port}{parts.path}", silence
    finally:
        server.close()
        for end in ends:
            end.transport.abort()
        await asyncio.gather(*wires, return_exceptions=True)
