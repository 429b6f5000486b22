"""Holding an answer until there is something new. No connection is held meanwhile.

An announcement only wakes: whoever is woken reads everything again, his own standing included.
Nothing is missed when announcements are lost, since losing them wakes everybody, and since one
more look is taken when the time is up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol
from uuid import UUID

from app.onboardings.use_cases import ReadOnboarding

LONGEST = 25
"""Seconds. Proxies give up after thirty."""
LOOKING_AT_ONCE = 2
"""Of those who were woken: when an announcement may have been lost, that is everybody. Who comes
just then finds a connection free all the same."""


class News(Protocol):
    """Where a process hears of changes, whichever process has made them."""

    def heard(
        self, client_id: UUID | None, event: asyncio.Event | None = None
    ) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever there may be news of the client; `event`, if given."""
        ...

    def wake_all(self) -> None: ...


class HeldRequests:
    """Those of one process. When it is to end, they are answered first."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._looking = asyncio.Semaphore(LOOKING_AT_ONCE)
        self._ending = False

    def end(self) -> None:
        self._ending = True
        self._news.wake_all()

    async def until_new(
        self,
        client_id: UUID,
        look: Callable[[], Awaitable[ReadOnboarding]],
        is_new: Callable[[ReadOnboarding], bool],
        seconds: int,
    ) -> ReadOnboarding:
        """What is so once it is new to the reader, or when the time is up."""
        deadline = asyncio.get_running_loop().time() + seconds
        with ExitStack() as hearing:
            news = hearing.enter_context(self._news.heard(client_id))
            told_of = {client_id, None}
            read = await look()
            while not self._ending and not is_new(read):
                if read.replaced_client not in told_of:
                    told_of.add(read.replaced_client)
                    hearing.enter_context(self._news.heard(read.replaced_client, news))
                    read = await look()  # it may have changed before it was listened for
                    continue
                try:
                    async with asyncio.timeout_at(deadline):
                        await news.wait()
                except TimeoutError:
                    return await look()
                async with self._looking:
                    if self._ending:
                        return read
                    news.clear()
                    read = await look()
            return read
