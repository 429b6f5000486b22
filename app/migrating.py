"""Bringing the database's schema up to date."""

import asyncio
import logging

from alembic import command
from alembic.config import Config
from asyncpg import LockNotAvailableError
from sqlalchemy.exc import DBAPIError

from app.schema import OtherRevision, is_ahead
from app.shipped import shipped

log = logging.getLogger(__name__)


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file: an installed wheel has none."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that are missing. Not to be called from a running event loop.

    `OtherRevision` when this code cannot work with the database, or others are in the way.
    """
    if asyncio.run(is_ahead(url)):
        log.warning("a later version has migrated the database: there is nothing to do")
        return
    try:
        command.upgrade(alembic_config(url), revision)
    except DBAPIError as error:
        if error.orig is None or not isinstance(error.orig.__cause__, LockNotAvailableError):
            raise
        raise OtherRevision(
            "Others hold what is to be changed, and waiting longer would hold them up. "
            "Nothing was changed: run it again, at a quieter time."
        ) from error
