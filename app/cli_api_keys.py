"""`onboarding api-key`: the keys of client systems' installers."""

import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.api_keys import all_api_keys, issue_api_key, revoke_api_key
from app.apis.catalogue import Tenancy
from app.apis.queries import newest_catalogue
from app.cli_work import do, moment, now, table


@click.group()
def group() -> None:
    """The keys of client systems' installers."""


@group.command()
@click.argument("client_system")
@click.option("--label", required=True, help="Whose it is, or what for.")
def create(client_system: str, label: str) -> None:
    """Make a key for CLIENT_SYSTEM and print it: it is never shown again."""

    async def created(db: AsyncSession) -> str:
        await _check_system(db, client_system)
        return await issue_api_key(db, client_system_id=client_system, label=label, now=now())

    click.echo(do(created))
    click.echo("Keep this key now: it is not stored, and cannot be shown again.", err=True)


@group.command(name="list")
def list_() -> None:
    """List all keys by their public prefixes."""

    async def rows(db: AsyncSession) -> list[tuple[str, ...]]:
        return [
            (
                key.prefix,
                key.client_system_id,
                key.label,
                moment(key.created_at),
                moment(key.last_used_at),
                moment(key.revoked_at),
            )
            for key in await all_api_keys(db)
        ]

    table(("PREFIX", "CLIENT SYSTEM", "LABEL", "CREATED", "LAST USED", "REVOKED"), *do(rows))


@group.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Revoke the key with the public PREFIX, from the next request on."""

    async def revoked(db: AsyncSession) -> None:
        await revoke_api_key(db, prefix, now())

    do(revoked)
    click.echo(f"{prefix} is revoked.")


async def _check_system(db: AsyncSession, client_system: str) -> None:
    async with db.begin():
        newest = await newest_catalogue(db)
    system = newest.content.systems.get(client_system) if newest else None
    if system is None:
        raise click.ClickException(f"The catalogue has no client system {client_system}.")
    if system.tenancy == Tenancy.MULTI:
        raise click.ClickException(
            f"{client_system} is multi-tenant: its clients are declared in the catalogue, so its"
            " installers make no drafts."
        )
