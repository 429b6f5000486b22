"""HTTP to our neighbours, bounded in time, in size and in tries.

The only module that knows the HTTP client. Whatever may go wrong with a neighbour comes out as
`NoAnswer`; what the neighbour did say comes out as an `Answer`, which nobody has believed yet.
"""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx2
import stamina
from msgspec import DecodeError, Struct, json

LARGEST_ANSWER = 1024 * 1024
FIRST_WAIT = 0.05
LONGEST_WAIT = 0.3
# Below what servers keep idle connections for, so that few calls meet one that is just closed.
KEEP_IDLE = 3.0


T = TypeVar("T")


class NoAnswer(Exception):
    """Nothing that can be relied on came back. The text is for the log and holds no secret."""


class Answer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def decoded(self, kind: type[T]) -> T:
        """The body as `kind`, or `NoAnswer`."""
        try:
            return json.decode(self.content, type=kind)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NoAnswer(f"status {self.status} with a body that cannot be read") from error


class CircuitBreaker:
    """Spares a neighbour that fails, and us the wait: after so many failures nobody asks it.

    When the rest is over one call tries for all; the others go on being refused until it is back.
    """

    def __init__(
        self, *, after: int = 5, rest: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._after = after
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._resting_until = 0.0

    def lets_through(self) -> bool:
        if self._failures < self._after:
            return True
        if self._clock() < self._resting_until:
            return False
        self._resting_until = self._clock() + self._rest
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        self._resting_until = self._clock() + self._rest


class Neighbour:
    """Somebody's HTTP service. `within` seconds bound a whole call, repeated tries included.

    `pace` is waited for before each try, and raises `NoAnswer` when that takes too long.
    """

    def __init__(
        self,
        url: str,
        *,
        contact: str,
        within: float,
        tries: int = 1,
        ca_file: str | None = None,
        breaker: CircuitBreaker | None = None,
        pace: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.url = url
        self._within = within
        self._tries = tries
        self._breaker = breaker or CircuitBreaker()
        self._pace = pace
        self._http = httpx2.AsyncClient(
            # Not compressed: a small answer must not become a large one.
            headers={
                "User-Agent": f"helseid-onboarding ({contact})",
                "Accept-Encoding": "identity",
            },
            timeout=within,
            limits=httpx2.Limits(max_connections=20, keepalive_expiry=KEEP_IDLE),
            verify=_trusted(ca_file),
            # The environment may name a proxy; it cannot reach what is on this machine.
            trust_env=not _is_on_this_machine(url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """The neighbour's answer, below 500 whatever it is, or `NoAnswer`."""
        if not self._breaker.lets_through():
            raise NoAnswer("not asked: it has failed too often just now")
        # Before the time is taken: whoever waits for a turn has not met a failure.
        await self._turn()
        try:
            async with asyncio.timeout(self._within):
                answer = await self._persistently(method, url, headers, content)
        except TimeoutError:
            self._breaker.failed()
            raise NoAnswer(f"no answer within {self._within} s") from None
        except NoAnswer:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return answer

    async def _persistently(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> Answer:
        # As a block, because of a call stamina logs the arguments: our credential is among them.
        async for attempt in stamina.retry_context(
            on=NoAnswer,
            attempts=self._tries,
            timeout=None,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=FIRST_WAIT,
        ):
            with attempt:
                if attempt.num > 1:
                    await self._turn()
                return await self._once(method, url, headers, content)
        raise AssertionError("the last try either returns or raises")

    async def _turn(self) -> None:
        if self._pace is not None:
            await self._pace()

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> Answer:
        try:
            async with self._http.stream(method, url, headers=headers, content=content) as response:
                if response.status_code >= 500:
                    raise NoAnswer(f"status {response.status_code}")
                body = await _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoAnswer(type(error).__name__) from error
        return Answer(response.status_code, response.headers, body)


async def _read(response: httpx2.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoAnswer("a compressed answer, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer(f"an answer of more than {LARGEST_ANSWER} bytes")
    return bytes(body)


@cache
def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """One for all neighbours: all authorities of the system are some megabytes."""
    context = httpx2.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _is_on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
