"""Writing notices down, in the transaction of what they tell of."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.notices.models import Notice
from app.notices.rules import NoticeKind, Recipient


def tell(
    db: AsyncSession,
    kind: NoticeKind,
    client_id: UUID,
    addresses: Mapping[Recipient, str | None],
    *,
    facts: Mapping[str, str],
    at: datetime,
) -> None:
    """One notice for each of `addresses`, also where nobody has given any."""
    for recipient, address in addresses.items():
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
