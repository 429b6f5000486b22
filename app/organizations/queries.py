"""What is remembered of Enhetsregisteret's answers."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.organizations.models import Organization
from app.organizations.register import RegisterEntry


async def remembered_organization(db: AsyncSession, number: str) -> Organization | None:
    return await db.get(Organization, number)


def entry_of(row: Organization) -> RegisterEntry:
    return RegisterEntry(
        verdict=row.verdict,
        name=row.name,
        main_unit=row.main_unit,
        etag=row.etag,
        winding_up=row.winding_up,
    )


def answer_kept(number: str, entry: RegisterEntry, now: datetime) -> Insert:
    """The register's newest answer takes the place of what it said before."""
    answer = {
        "verdict": entry.verdict,
        "name": entry.name,
        "main_unit": entry.main_unit,
        "etag": entry.etag,
        "winding_up": entry.winding_up,
        "checked_at": now,
        "outdated": False,
    }
    return (
        insert(Organization)
        .values(organization_number=number, **answer)
        .on_conflict_do_update(index_elements=[Organization.organization_number], set_=answer)
    )


async def outdate(db: AsyncSession, numbers: Collection[str]) -> None:
    """What is remembered of `numbers` is no longer what the register says."""
    await db.execute(
        update(Organization)
        .where(Organization.organization_number.in_(numbers))
        .values(outdated=True)
    )


async def organization_names(db: AsyncSession, numbers: Collection[str]) -> dict[str, str]:
    """What the register calls those of `numbers` that somebody has looked up."""
    rows = await db.execute(
        select(Organization.organization_number, Organization.name).where(
            Organization.organization_number.in_(numbers), Organization.name.is_not(None)
        )
    )
    return {number: name for number, name in rows if name is not None}
