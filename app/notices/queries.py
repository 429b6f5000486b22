"""Writing notices down, in the transaction of what they tell of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.notices.models import Notice
from app.notices.rules import MAY_BLOCK, NoticeKind, Recipient, is_block_token

LARGEST_ID = 2**63 - 1
MOST_DIGITS = len(str(LARGEST_ID))


def tell(
    db: AsyncSession,
    kind: NoticeKind,
    client_id: UUID,
    addresses: Sequence[tuple[Recipient, str | None]],
    *,
    facts: Mapping[str, str],
    at: datetime,
) -> None:
    """One notice for each of `addresses`, also where nobody has given any."""
    for recipient, address in addresses:
        db.add(
            Notice(
                client_id=client_id,
                kind=kind,
                recipient=recipient,
                address=address,
                facts=dict(facts),
                created_at=at,
                due_at=func.clock_timestamp(),
            )
        )


async def notices_of(db: AsyncSession, client_id: UUID) -> list[Notice]:
    """Oldest first."""
    found = await db.scalars(
        select(Notice).where(Notice.client_id == client_id).order_by(Notice.id)
    )
    return list(found)


async def notice_of_link(db: AsyncSession, token: str, *, secret_key: str) -> Notice | None:
    """The notice in which this link stood. Nothing is told of any other."""
    number = _number(token.partition("-")[0])
    notice = await db.get(Notice, number) if number is not None else None
    if notice is None or notice.recipient not in MAY_BLOCK:
        return None
    good = is_block_token(token, notice.id, notice.client_id, secret_key=secret_key)
    return notice if good else None


def _number(text: str) -> int | None:
    """An id that there can be. What is longer is not even read: Python refuses long numbers."""
    if not (text.isascii() and text.isdecimal()) or len(text) > MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None
