"""Sending what has been written down."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import delete, select, update

from app.database import CLOCK, Sessions, leased_row
from app.notices.mail import Letter, MailServer, MailUnavailable
from app.notices.models import Notice
from app.notices.rules import KEPT, LEASE, wait_after

log = logging.getLogger(__name__)

LetterOf: TypeAlias = Callable[[Notice], Letter]
BATCH = 500
SENT_WITHIN = timedelta(seconds=60)


async def send_one(sessions: Sessions, server: MailServer, letter_of: LetterOf) -> bool:
    """Send the notice that has been due longest. False when none is due.

    A notice is sent at least once: again when the answer to the first time was lost. Whatever is
    wrong with one, only that one waits.
    """
    notice = await _leased(sessions)
    if notice is None:
        return False
    try:
        async with asyncio.timeout(SENT_WITHIN.total_seconds()):
            await server.send(letter_of(notice))
    except (MailUnavailable, TimeoutError) as error:
        why = str(error) or "no answer in time"
        log.warning("notice %d was not sent: %s", notice.id, why)
        await _failed(sessions, notice, why)
    except Exception as error:
        log.exception("notice %d cannot be sent", notice.id)
        await _failed(sessions, notice, f"not sent: {type(error).__name__}")
    else:
        await _sent(sessions, notice)
    return True


async def _leased(sessions: Sessions) -> Notice | None:
    async with sessions.begin() as db:
        return await leased_row(
            db,
            Notice,
            Notice.sent_at.is_(None),
            Notice.address.is_not(None),
            Notice.due_at <= CLOCK,
            lasting=LEASE,
        )


async def _sent(sessions: Sessions, notice: Notice) -> None:
    async with sessions.begin() as db:
        await db.execute(
            update(Notice)
            .where(Notice.id == notice.id)
            .values(sent_at=CLOCK, leased_until=None, last_failure=None)
        )


async def _failed(sessions: Sessions, notice: Notice, why: str) -> None:
    async with sessions.begin() as db:
        await db.execute(
            update(Notice)
            .where(Notice.id == notice.id, Notice.leased_until == notice.leased_until)
            .values(
                attempts=notice.attempts + 1,
                due_at=CLOCK + wait_after(notice.attempts + 1),
                leased_until=None,
                last_failure=why,
            )
        )


async def sweep_notices(sessions: Sessions, *, now: datetime) -> bool:
    """Remove what was told long ago. True while there is more."""
    old = select(Notice.id).where(Notice.created_at < now - KEPT).limit(BATCH)
    async with sessions.begin() as db:
        removed = await db.execute(delete(Notice).where(Notice.id.in_(old)).returning(Notice.id))
        count = len(removed.all())
    return count == BATCH
