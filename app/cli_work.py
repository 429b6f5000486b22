"""What the operator's commands share: settings, the database, and refusals as plain lines."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import asyncpg
import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.rules import CatalogueRefused
from app.database import Database
from app.problems import Problem
from app.schema import OtherRevision, refuse_to_start
from app.settings import Settings, SettingsRefused, read_settings

T = TypeVar("T")
Work: TypeAlias = Callable[[AsyncSession], Awaitable[T]]


def settings() -> Settings:
    try:
        return read_settings(os.environ)
    except SettingsRefused as refusal:
        raise click.ClickException(str(refusal)) from None


def do(work: Work[T]) -> T:
    """The result of `work` on a session of the service's database."""
    url = settings().database_url
    try:
        refuse_to_start(url)
        return asyncio.run(_with_session(url, work))
    except (Problem, CatalogueRefused, OtherRevision) as refusal:
        raise click.ClickException(str(refusal)) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"The database cannot be used: {error}") from None


async def _with_session(url: str, work: Work[T]) -> T:
    database = Database(url, connections=1)
    try:
        async with database.sessions() as db:
            return await work(db)
    finally:
        await database.engine.dispose()


def now() -> datetime:
    return datetime.now(UTC)


def moment(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def table(*rows: tuple[str, ...]) -> None:
    """Print the rows in columns that are as wide as they need be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
