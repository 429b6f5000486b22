"""The driver's connections, and its pool without the task that it makes when one is given back.

That task, and the turns of the loop it takes, were a tenth of what a hot request cost.
"""

from types import TracebackType
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class NoConnection(ConnectionError):
    """The database cannot be reached: an `OSError` alone may be a file's, or another host's."""


async def connect(*where: Any, **options: Any) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(*where, **options)
    except OSError as error:
        raise NoConnection(str(error)) from error


class Connections:
    """What was given back in good order is handed out again; the rest is the pool's business."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._idle: list[Connection] = []
        self._waiting = 0

    def acquire(self) -> "_Borrowed":
        return _Borrowed(self)

    @property
    def none_in_use(self) -> bool:
        in_pool: int = self._pool.get_idle_size()
        size: int = self._pool.get_size()
        return size == in_pool + len(self._idle)

    async def take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Connection, *, in_order: bool) -> None:
        """Whoever waits, waits at the pool: then the connection goes there."""
        if in_order and not self._waiting:
            self._idle.append(connection)
        else:
            await self._pool.release(connection)

    async def close(self) -> None:
        while self._idle:
            await self._pool.release(self._idle.pop())
        await self._pool.close()


def _is_open(connection: Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False  # it was lost, and the pool knows


class _Borrowed:
    __slots__ = ("_connection", "_connections")

    _connection: Connection

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def __aenter__(self) -> Connection:
        self._connection = await self._connections.take()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connections.give_back(self._connection, in_order=kind is None)
