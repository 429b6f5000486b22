"""Sending requests, at little cost of its own: the machine is shared with what is measured."""

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct

LONGEST_HEAD = 65_536


class Prepared(Struct, frozen=True):
    """A request as it stands on the wire, and the status that its answer has to have."""

    address: tuple[str, int]
    octets: bytes
    status: int


class WrongAnswer(Exception):
    """What was measured is not what should have been."""


def prepared(
    method: str, url: str, headers: dict[str, str], body: bytes = b"", *, status: int = 200
) -> Prepared:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    lines = [f"{method} {parts.path} HTTP/1.1", f"host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}"] if body else []
    head = "\r\n".join(lines).encode()
    return Prepared((host, port), head + b"\r\n\r\n" + body, status)


def send_all(requests: Sequence[Prepared], *, apart: float = 0) -> None:
    """Send one after the other over one connection, which is kept, at least `apart` seconds apart.

    That is how installers come. Many at once would cost less each, and the hello-world route
    least of all: it would be woken once for several.
    """
    asyncio.run(_send_all(requests, apart))


async def _send_all(requests: Sequence[Prepared], apart: float) -> None:
    reader, writer = await asyncio.open_connection(*requests[0].address, limit=LONGEST_HEAD)
    for request in requests:
        began = time.monotonic()
        writer.write(request.octets)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_in(head))
        if status_in(head) != request.status:
            raise WrongAnswer((head + body).decode())
        if (rest := began + apart - time.monotonic()) > 0:
            await asyncio.sleep(rest)
    writer.close()
    await writer.wait_closed()


def status_in(head: bytes) -> int:
    return int(head.split(b" ", 2)[1])


def length_in(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
