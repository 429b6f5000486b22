"""The same thing by several at the same moment."""

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import httpx2

from tests.journeys.raw_http import PATIENCE_SECONDS, read_answer

T = TypeVar("T")
R = TypeVar("R")
EIGHT = range(8)


def at_once(do: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """All begin together; the answers in the order of `each`."""
    barrier = threading.Barrier(len(each))

    def when_all_are_there(one: T) -> R:
        barrier.wait(timeout=30)
        return do(one)

    with ThreadPoolExecutor(len(each)) as threads:
        return list(threads.map(when_all_are_there, each))


def sent_at_once(
    requests: Sequence[httpx2.Request], *, then: Callable[[], None] = lambda: None
) -> list[httpx2.Response]:
    """Each over a connection of its own, so that either process of the service may get it.

    All lie there but for their last byte, and then the last bytes follow: they are nearer to
    each other than a transaction is long. `then` is done before the answers are read.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(_connected(request)) for request in requests]
        texts = [_text(request) for request in requests]
        for connection, text in zip(connections, texts, strict=True):
            connection.sendall(text[:-1])
        for connection, text in zip(connections, texts, strict=True):
            connection.send(text[-1:])
        then()
        return [
            _answer(connection, request)
            for connection, request in zip(connections, requests, strict=True)
        ]


def _connected(request: httpx2.Request) -> socket.socket:
    address = request.url.host, request.url.port or 80
    connection = socket.create_connection(address, timeout=PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _text(request: httpx2.Request) -> bytes:
    headers = [(name, value) for name, value in request.headers.raw if name != b"Connection"]
    lines = [
        request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1",
        *(name + b": " + value for name, value in headers),
        b"Connection: close",
    ]
    return b"\r\n".join([*lines, b"", request.read()])


def _answer(connection: socket.socket, request: httpx2.Request) -> httpx2.Response:
    answer = read_answer(connection)
    assert answer is not None, "The connection was cut without an answer."
    return httpx2.Response(
        answer.status, headers=answer.headers, content=answer.body, request=request
    )
