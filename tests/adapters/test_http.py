"""The bounds within which neighbours are asked."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest
import trustme

from app.adapters.http import CircuitBreaker, Neighbour, NoAnswer


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_five_failures_nobody_asks_until_the_rest_is_over() -> None:
    clock = Clock()
    breaker = CircuitBreaker(after=5, rest=10, clock=clock)
    for _ in range(5):
        assert breaker.lets_through()
        breaker.failed()
    assert not breaker.lets_through()
    clock.now += 9.9
    assert not breaker.lets_through()
    clock.now += 0.1
    assert breaker.lets_through()


def test_when_the_rest_is_over_one_tries_for_all() -> None:
    clock = Clock()
    breaker = CircuitBreaker(after=1, rest=10, clock=clock)
    breaker.failed()
    clock.now += 10
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.lets_through()
    clock.now += 10
    assert breaker.lets_through()
    breaker.succeeded()
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]


def test_one_who_tried_for_all_and_never_came_back_is_not_waited_for() -> None:
    clock = Clock()
    breaker = CircuitBreaker(after=1, rest=10, clock=clock)
    breaker.failed()
    clock.now += 10
    assert breaker.lets_through()
    clock.now += 10
    assert breaker.lets_through()


def test_failures_count_only_in_a_row() -> None:
    breaker = CircuitBreaker(after=2)
    for _ in range(10):
        breaker.failed()
        breaker.succeeded()
    assert breaker.lets_through()


@pytest.mark.alone
async def test_an_answer_that_drips_is_cut_off_in_time() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            for _number in range(1000):
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    began = time.monotonic()
    async with Neighbour(url, contact="x", within=0.3) as neighbour:
        with pytest.raises(NoAnswer, match=r"0\.3 s"):
            await neighbour.ask("GET", url)
    assert time.monotonic() - began < 1
    server.close()


async def test_an_authority_of_ones_own_is_trusted_and_a_stranger_is_not(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    trusting = Neighbour(url, contact="x", within=5, ca_file=str(tmp_path / "ca.pem"))
    async with trusting, Neighbour(url, contact="x", within=5) as strange:
        assert (await trusting.ask("GET", url)).content == b"ok"
        with pytest.raises(NoAnswer, match="ConnectError"):
            await strange.ask("GET", url)
    server.close()


async def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Neighbour(url, contact="x", within=5) as neighbour:
        assert (await neighbour.ask("GET", url)).status == 204
    server.close()
