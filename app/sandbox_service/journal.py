"""What the service is asked and answers, for the sandbox's journal, which the stand-ins keep."""

import asyncio
import logging
from collections import deque
from typing import Self

import msgspec
from litestar.types import ASGIApp

from app.adapters.http import Neighbour, NoAnswer
from app.jobs import ended
from app.sandbox.journal.entries import Entry
from app.sandbox.journal.recording import Policy, Recording
from app.settings import Settings

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
SENT_WITHIN_SECONDS = 5.0
NOT_WRITTEN_DOWN = ("/health/", "/assets/", "/docs/")


class Feed:
    """From `async with` to its end, what is kept is sent on, a moment later."""

    def __init__(self, settings: Settings, neighbours_url: str, secret: str) -> None:
        self._url, self._secret = f"{neighbours_url}/_sandbox/journal", secret
        self._neighbour = Neighbour(
            neighbours_url,
            contact=settings.contact,
            within=SENT_WITHIN_SECONDS,
            tries=1,
            ca_file=settings.ca_file,
        )
        self._waiting: deque[Entry] = deque(maxlen=MOST_WAITING)
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._send_for_ever(), name="journal")
        return self

    async def __aexit__(self, *_: object) -> None:
        await ended(self._task)
        await self._neighbour.close()

    def keep(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._more.set()

    async def _send_for_ever(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            entries = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                await self._neighbour.ask(
                    "POST",
                    self._url,
                    headers={"Sandbox-Secret": self._secret, "Content-Type": "application/json"},
                    content=msgspec.json.encode(entries),
                )
            except NoAnswer as error:
                log.warning("%d entries of the journal are lost: %s", len(entries), error)


def recorded(app: ASGIApp, settings: Settings, feed: Feed) -> ASGIApp:
    """The service, with each call written down."""
    policy = Policy(
        bases=settings.public_base_urls,
        issuer=settings.issuer,
        audience=settings.audience,
        scope=settings.client_scope,
    )

    def called(path: str) -> str | None:
        return None if path.startswith(NOT_WRITTEN_DOWN) else "service"

    return Recording(app, policy=policy, keep=feed.keep, called=called)
