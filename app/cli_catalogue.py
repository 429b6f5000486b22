"""`onboarding catalogue`: what can be asked for, by which client systems, and who decides."""

from pathlib import Path

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.apis.differences import differences
from app.apis.queries import newest_catalogue
from app.apis.rules import CatalogueRefused, read_catalogue
from app.cli_work import do, now, settings
from app.client_configurations.applying import apply_catalogue


@click.group()
def group() -> None:
    """What can be asked for, by which client systems, and who decides."""


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(file: Path, yes: bool) -> None:
    """Put the catalogue in FILE in force, after showing what it changes."""
    try:
        catalogue = read_catalogue(file.read_bytes())
    except CatalogueRefused as refused:
        raise click.ClickException(f"{file} is refused:\n{refused}") from None
    old = do(_in_force)
    changes = differences(old, catalogue)
    if not changes:
        click.echo("Nothing to change.")
        return
    click.echo("\n".join(changes))
    if not yes:
        click.confirm(f"Apply {len(changes)} changes?", abort=True)
    given = settings()

    async def applied(db: AsyncSession) -> list[str]:
        return await apply_catalogue(
            db,
            catalogue,
            environment=given.environment,
            client_scope=given.client_scope,
            now=now(),
        )

    click.echo(f"Applied {len(do(applied))} changes.")


@group.command()
def show() -> None:
    """Print the catalogue in force, in the form of its file."""
    catalogue = do(_in_force)
    if catalogue is None:
        raise click.ClickException("No catalogue has been applied.")
    click.echo(msgspec.json.format(msgspec.json.encode(catalogue), indent=2).decode())


async def _in_force(db: AsyncSession) -> Catalogue | None:
    newest = await newest_catalogue(db)
    return newest.content if newest else None
