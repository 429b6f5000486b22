"""Hearing, in this process, what other processes announce of clients.

One connection listens for everybody. A notification is a hint and never the truth: whoever is
woken looks at the rows again. So a lost connection costs nothing but a second look.
"""

import asyncio
import contextlib
import logging
import random
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self, TypeAlias
from uuid import UUID

import asyncpg

from app.jobs import ended

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
ANSWER_WITHIN = 5.0
FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0
MOST_WORDS = 10_000

EVERY_CLIENT = None

Waiters: TypeAlias = defaultdict[str | None, set[asyncio.Event]]


class ClientEvents:
    """Listens to channels from `async with` to its end.

    A payload is a client's id, and where there is more to say a word after it.
    """

    def __init__(
        self,
        url: str,
        channels: Sequence[str],
        *,
        heartbeat: float = HEARTBEAT,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._url = url
        self._channels = channels
        self._heartbeat = heartbeat
        self._answer_within = answer_within
        self._waiters: Waiters = defaultdict(set)
        self._waiters_for_words: Waiters = defaultdict(set)
        self._last_words: OrderedDict[str, str] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen_for_ever(), name="client events")
        return self

    async def __aexit__(self, *_: object) -> None:
        await ended(self._task)
        self.wake_all()

    def heard(
        self, client_id: UUID | None = EVERY_CLIENT, event: asyncio.Event | None = None
    ) -> AbstractContextManager[asyncio.Event]:
        """An event that is set at each announcement about the client, or about any client.

        It is also set when something may have been missed. Look at the rows after this is
        entered, and again after each time it is set; clear it before looking. `event` is one that
        is set for another client already.
        """
        name = None if client_id is None else str(client_id)
        return _among(self._waiters, name, event or asyncio.Event())

    def said(self, client_id: UUID) -> AbstractContextManager[asyncio.Event]:
        """The same for who waits for a word: what else is announced of the client wakes him not."""
        return _among(self._waiters_for_words, str(client_id), asyncio.Event())

    def wake_all(self) -> None:
        for waiters in (*self._waiters.values(), *self._waiters_for_words.values()):
            _set(waiters)

    async def _listen_for_ever(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._listen()
                wait = FIRST_WAIT
            except Exception as error:
                log.warning("not listening to the database: %s: %s", type(error).__name__, error)
                wait = min(wait * 2, LONGEST_WAIT)
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  # guards no secret

    async def _listen(self) -> None:
        """Until the connection is lost. A silent loss shows when a heartbeat goes unanswered."""
        connection = await asyncpg.connect(self._url, timeout=self._answer_within)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        try:
            for channel in self._channels:
                await connection.add_listener(channel, self._announced)
            self.listening.set()
            self.wake_all()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), self._heartbeat)
                    return
                await connection.execute("SELECT 1", timeout=self._answer_within)
        finally:
            self.listening.clear()
            connection.terminate()

    def last_word(self, client_id: UUID) -> str | None:
        """What stood beside the client's id in the newest announcement that said something."""
        return self._last_words.get(str(client_id))

    def _announced(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        client, _, word = str(payload).partition(" ")
        if word:
            self._last_words.pop(client, None)
            self._last_words[client] = word
            if len(self._last_words) > MOST_WORDS:
                self._last_words.popitem(last=False)
            _set(self._waiters_for_words.get(client, ()))
        for name in (client, None) if client else tuple(self._waiters):
            _set(self._waiters.get(name, ()))


@contextlib.contextmanager
def _among(waiters: Waiters, name: str | None, event: asyncio.Event) -> Iterator[asyncio.Event]:
    waiters[name].add(event)
    try:
        yield event
    finally:
        waiters[name].discard(event)
        if not waiters[name]:
            del waiters[name]


def _set(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        event.set()
