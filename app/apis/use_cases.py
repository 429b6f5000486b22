"""Bringing in a new version of the catalogue."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.apis.models import CatalogueVersion
from app.audit.trail import OPERATOR, Happened, record


async def add_version(
    db: AsyncSession, catalogue: Catalogue, changes: list[str], now: datetime
) -> CatalogueVersion:
    """The catalogue is in force once the open transaction commits."""
    row = CatalogueVersion(content=catalogue, applied_at=now)
    db.add(row)
    await db.flush()
    record(
        db,
        Happened.CATALOGUE_APPLIED,
        actor=OPERATOR,
        subject=f"catalogue:{row.version}",
        at=now,
        changes=str(len(changes)),
    )
    return row
