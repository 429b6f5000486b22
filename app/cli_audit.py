"""`onboarding audit`: whether the trail is whole, and anchoring it outside the database."""

from pathlib import Path

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.verification import Anchor, Verdict, anchors, unsealed_count, verify_trail
from app.cli_work import do


@click.group()
def group() -> None:
    """The trail of what has happened: is it whole, and anchors to keep elsewhere."""


@group.command()
@click.option(
    "--anchors",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `audit export` has printed before: finds what is gone from the end.",
)
def verify(file: Path | None) -> None:
    """Check every sealed event. Ends with 1 when something is not as it was."""
    kept = _anchors(file) if file else []

    async def verified(db: AsyncSession) -> tuple[Verdict, int]:
        return await verify_trail(db, kept), await unsealed_count(db)

    verdict, unsealed = do(verified)
    click.echo(f"{verdict.sealed} sealed events were checked; {unsealed} wait for their seal.")
    if verdict.findings:
        raise click.ClickException("\n".join(["The trail is not whole.", *verdict.findings]))
    click.echo("The trail is whole.")


@group.command()
@click.option("--after", default=0, help="The number of the last anchor that is kept already.")
def export(after: int) -> None:
    """Print anchors of the chain as JSON lines: keep them where the database's keeper is not."""

    async def printed(db: AsyncSession) -> None:
        async for anchor in anchors(db, after=after):
            click.echo(msgspec.json.encode(anchor))

    do(printed)


def _anchors(file: Path) -> list[Anchor]:
    try:
        lines = file.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Anchor) for line in lines if line.strip()]
    except msgspec.DecodeError as error:
        raise click.ClickException(f"{file} holds no anchors: {error}") from None
