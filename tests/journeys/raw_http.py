"""Requests that no HTTP library would send, byte by byte."""

import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

PATIENCE_SECONDS = 20
PIECE = b"A" * 65_536


class RawAnswer(Struct):
    """`sent`: how much of the body had been taken when the answer came, or the connection broke."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int = 0

    def as_response(self, url: str) -> httpx2.Response:
        request = httpx2.Request("POST", url)
        return httpx2.Response(
            self.status, headers=self.headers, content=self.body, request=request
        )


def send_raw(
    url: str, method: str, headers: Mapping[str, str], body: Iterable[bytes] = ()
) -> RawAnswer | None:
    """None when the connection was cut without a word."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
    assert parts.hostname
    address = parts.hostname, parts.port or 80
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head)
        sent = _pour(connection, body)
        return read_answer(connection, sent)


def chunked(size: int) -> Iterable[bytes]:
    for _ in range(size // len(PIECE)):
        yield f"{len(PIECE):x}\r\n".encode() + PIECE + b"\r\n"
    yield b"0\r\n\r\n"


def plain(size: int) -> Iterable[bytes]:
    for _ in range(size // len(PIECE)):
        yield PIECE


def _pour(connection: socket.socket, body: Iterable[bytes]) -> int:
    """Until all is sent, or there is something to read."""
    sent = 0
    for piece in body:
        connection.settimeout(0.0)
        try:
            if connection.recv(1, socket.MSG_PEEK) is not None:
                break
        except BlockingIOError:
            pass
        except ConnectionError:
            break
        connection.settimeout(PATIENCE_SECONDS)
        try:
            connection.sendall(piece)
        except (ConnectionError, TimeoutError):
            break
        sent += len(piece)
    connection.settimeout(PATIENCE_SECONDS)
    return sent


def read_answer(connection: socket.socket, sent: int = 0) -> RawAnswer | None:
    """Until the other side ends the connection."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass  # what came before counts
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return RawAnswer(int(first.split(" ")[1]), headers, body, sent)
