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


class Announcements(Protocol):
    """Where a process hears that something has become known of a client."""

    def heard(self, client_id: UUID | None) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever there may be news, also after a lost connection."""
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

    No connection is held while waiting. Listening begins before the first look at the row, so
    that nothing can happen unseen between the two.
    """
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    with announcements.heard(client_id) as news:
        while not await _known(database, client_id, version):
            try:
                async with asyncio.timeout_at(deadline):
                    await news.wait()
            except TimeoutError:
                return False
            news.clear()
    return True


async def _known(database: Database, client_id: UUID, version: int) -> bool:
    async with database.reads.acquire() as connection:
        row = await PUBLISHED.row(connection, client_id=client_id)
    return row is not None and row["published"] >= version
