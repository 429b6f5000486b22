"""Which catalogue is in force. Each process keeps the newest one it has read."""

import asyncio

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.apis.models import CatalogueVersion
from app.database import Sessions
from app.problems import ServiceUnavailable


def newest_version() -> ScalarSelect[int]:
    """The version in force, as part of a statement."""
    return select(func.max(CatalogueVersion.version)).scalar_subquery()


async def newest_catalogue(db: AsyncSession) -> CatalogueVersion | None:
    return await db.scalar(
        select(CatalogueVersion).order_by(CatalogueVersion.version.desc()).limit(1)
    )


class Catalogues:
    """The catalogue of this process. A version never changes, so it is read once."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._versions: dict[int, Catalogue] = {}
        self._reading = asyncio.Lock()

    async def of(self, version: int | None) -> Catalogue:
        """The catalogue of a version that a statement has just seen in force."""
        if version is None:
            raise ServiceUnavailable("No catalogue is in force: the operator has to apply one.")
        if version in self._versions:
            return self._versions[version]
        # A new version wakes all who wait for an onboarding: one of them reads it for all.
        async with self._reading:
            if version not in self._versions:
                async with self._sessions() as db:
                    row = await db.get_one(CatalogueVersion, version)
                self._versions = {version: row.content}
            return self._versions[version]

    async def version_in_force(self) -> int | None:
        async with self._sessions() as db:
            return await db.scalar(select(newest_version()))

    async def in_force(self) -> Catalogue:
        return await self.of(await self.version_in_force())
