"""Bringing the database's schema up to date."""

from alembic import command
from alembic.config import Config

from app.shipped import shipped


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file: an installed wheel has none."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that are missing. Not to be called from a running event loop."""
    command.upgrade(alembic_config(url), revision)
