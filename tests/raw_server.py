"""A server that says exactly what it is told to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import msgspec
from msgspec import Struct


class Asked(Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler: TypeAlias = Callable[[Asked], Awaitable[bytes]]


class RawServer(Struct):
    url: str
    asked: list[Asked]

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


@asynccontextmanager
async def raw_server(handler: Handler) -> AsyncIterator[RawServer]:
    """What `handler` returns is written as it is, and the connection closed."""

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            asked = await _read(reader)
            here.asked.append(asked)
            writer.write(await handler(asked))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # of a cancelled task asyncio would complain
        finally:
            serving.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = RawServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", [])
    try:
        yield here
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


def answer(
    status: int = 200,
    body: object = b"",
    *,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> bytes:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = {
        "Content-Type": media_type,
        "Content-Length": str(len(content)),
        "Connection": "close",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content
