"""Waiting, for a while, until the token issuer knows what it has to know of a client."""

import asyncio
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import bindparam, select

from app.database import Database, HotStatement
from app.publications.models import Publication

PUBLISHED = HotStatement(
    select(Publication.published).where(Publication.client_id == bindparam("client_id"))
)


LOOK_AGAIN = timedelta(milliseconds=300)


class Announcements(Protocol):
    """Where a process hears that something has become known of a client."""

    def said(self, client_id: UUID) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever there may be a newer word, also after a lost connection."""
        ...

    def last_word(self, client_id: UUID) -> str | None:
        """The version that the issuer was last said to know."""
        ...


async def published(
    database: Database,
    announcements: Announcements,
    client_id: UUID,
    version: int,
    *,
    within: timedelta,
) -> bool:
    """Whether the issuer knows `version`, or comes to know it in time.

    No connection is held while waiting. What is announced is enough to know; the row is looked
    at when no announcement has come for a while, since one may have been lost.
    """
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    with announcements.said(client_id) as news:
        while not _was_said(announcements.last_word(client_id), version):
            if not await _heard_something(news, deadline):
                if await _known(database, client_id, version):
                    return True
                if asyncio.get_running_loop().time() >= deadline:
                    return False
    return True


def _was_said(word: str | None, version: int) -> bool:
    return word is not None and int(word) >= version


async def _heard_something(news: asyncio.Event, deadline: float) -> bool:
    patience = asyncio.get_running_loop().time() + LOOK_AGAIN.total_seconds()
    try:
        async with asyncio.timeout_at(min(patience, deadline)):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True


async def _known(database: Database, client_id: UUID, version: int) -> bool:
    async with database.reads.acquire() as connection:
        row = await PUBLISHED.row(connection, client_id=client_id)
    return row is not None and row["published"] >= version
