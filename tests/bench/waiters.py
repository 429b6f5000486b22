"""Wizards that wait: each has a connection of its own, and asks again when it breaks."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain

import msgspec
from msgspec import Struct

from tests.bench.load import LONGEST_HEAD, Prepared, WrongAnswer, length_in, prepared, status_in

WAIT_SECONDS = 25
BEGINNING_AT_ONCE = 20
AWAY_SECONDS = 0.1


class Draft(Struct, frozen=True, rename="camel"):
    """What a wizard is given."""

    client_id: str
    onboarding_url: str
    onboarding_token: str

    def request(self, **headers: str) -> Prepared:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        token = {"authorization": f"Bearer {self.onboarding_token}"}
        return prepared("GET", self.onboarding_url, token | named)


class Answer(Struct, frozen=True):
    status: int
    tag: str
    body: bytes


class Onboarding(Struct, frozen=True):
    state: str


class Told(Struct, frozen=True):
    """Something new."""

    at: float
    state: str


class Connection(Struct, frozen=True):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: Prepared) -> Answer:
        answer = await self.answer_to(request)
        if answer.status != request.status:
            raise WrongAnswer(f"{answer.status} {answer.body.decode()}")
        return answer

    async def answer_to(self, request: Prepared) -> Answer:
        self.writer.write(request.octets)
        head = await self.reader.readuntil(b"\r\n\r\n")
        body = await self.reader.readexactly(length_in(head))
        return Answer(status_in(head), _tag_in(head), body)


class Waiter:
    """It knows what it was told last, and waits for what is new."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.asks = asyncio.Event()
        """Its request is sent, and not answered."""
        self.told_of_no_news = asyncio.Event()
        self._tag = ""
        self._told: asyncio.Queue[Told] = asyncio.Queue()

    @property
    def told_nothing(self) -> bool:
        """That was new, and has not been asked for here."""
        return self._told.empty()

    async def told_within(self, seconds: float) -> Told | None:
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._told.get(), seconds)
        return None

    async def wait_for_ever(self, beginning: asyncio.Semaphore) -> None:
        while True:
            # The service may be away for a moment.
            with suppress(OSError, asyncio.IncompleteReadError):
                async with beginning:
                    connection = await connect(self.draft.request())
                try:
                    await self._wait(connection, beginning)
                finally:
                    connection.writer.close()
            await asyncio.sleep(AWAY_SECONDS)

    async def _wait(self, connection: Connection, beginning: asyncio.Semaphore) -> None:
        if not self._tag:
            async with beginning:
                self._tag = (await connection.ask(self.draft.request())).tag
        while True:
            request = self.draft.request(if_none_match=self._tag, prefer=f"wait={WAIT_SECONDS}")
            answer = await self._answer_to(request, connection)
            if answer.status == 200:
                self._tag = answer.tag
                state = msgspec.json.decode(answer.body, type=Onboarding).state
                self._told.put_nowait(Told(time.monotonic(), state))
            elif answer.status == 304:
                self.told_of_no_news.set()
            elif answer.status == 503:
                await asyncio.sleep(AWAY_SECONDS)
            else:
                raise WrongAnswer(f"{answer.status} {answer.body.decode()}")

    async def _answer_to(self, request: Prepared, connection: Connection) -> Answer:
        self.asks.set()
        try:
            return await connection.answer_to(request)
        finally:
            self.asks.clear()


@asynccontextmanager
async def waiting(drafts: Sequence[Draft]) -> AsyncIterator[list[Waiter]]:
    """All of them, when all have asked."""
    beginning = asyncio.Semaphore(BEGINNING_AT_ONCE)
    waiters = [Waiter(draft) for draft in drafts]
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(waiter.wait_for_ever(beginning)) for waiter in waiters]
        await until_all_ask(waiters)
        yield waiters
        for task in started:
            task.cancel()


async def until_all_ask(waiters: Sequence[Waiter]) -> None:
    for waiter in waiters:
        await waiter.asks.wait()


async def connect(request: Prepared) -> Connection:
    """To where `request` goes."""
    return Connection(*await asyncio.open_connection(*request.address, limit=LONGEST_HEAD))


@asynccontextmanager
async def connected(request: Prepared) -> AsyncIterator[Connection]:
    connection = await connect(request)
    try:
        yield connection
    finally:
        connection.writer.close()


async def drafts_of(requests: Sequence[Prepared], *, at_once: int) -> list[Draft]:
    """What these requests for drafts are answered with."""
    left = iter(requests)

    async def made() -> list[Draft]:
        async with connected(requests[0]) as connection:
            answers = [await connection.ask(request) for request in left]
        return [msgspec.json.decode(answer.body, type=Draft) for answer in answers]

    return list(chain(*await asyncio.gather(*(made() for _ in range(at_once)))))


def _tag_in(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"etag":
            return value.strip().decode()
    return ""
