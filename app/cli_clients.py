"""`onboarding client`: looking at a client, stopping it, ending it."""

from uuid import UUID

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import OPERATOR
from app.cli_work import do, now
from app.client_configurations.operator import change_status
from app.client_configurations.overview import Overview, client_overview
from app.client_keys.revoking import revoke_key
from app.clients.rules import ClientEvent
from app.onboardings.revoking import revoke_onboarding_token


@click.group()
def group() -> None:
    """Look at a client, stop it, end it."""


@group.command()
@click.argument("client_id", type=click.UUID)
def show(client_id: UUID) -> None:
    """Print everything about CLIENT_ID as JSON."""

    async def found(db: AsyncSession) -> Overview:
        return await client_overview(db, client_id, now=now())

    click.echo(msgspec.json.format(msgspec.json.encode(do(found)), indent=2).decode())


@group.command()
@click.argument("client_id", type=click.UUID)
@click.option("--reason", help="For the audit trail.")
def block(client_id: UUID, reason: str | None) -> None:
    """Refuse CLIENT_ID everything from now on, until it is unblocked."""
    _change(client_id, ClientEvent.BLOCK, reason)


@group.command()
@click.argument("client_id", type=click.UUID)
@click.option("--reason", help="For the audit trail.")
def unblock(client_id: UUID, reason: str | None) -> None:
    """Let a blocked CLIENT_ID work again."""
    _change(client_id, ClientEvent.UNBLOCK, reason)


@group.command()
@click.argument("client_id", type=click.UUID)
@click.option("--reason", help="For the audit trail.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def close(client_id: UUID, reason: str | None, yes: bool) -> None:
    """End CLIENT_ID for ever: the token issuer forgets it."""
    if not yes:
        click.confirm(f"Close {client_id} for ever?", abort=True)
    _change(client_id, ClientEvent.CLOSE, reason)


@group.command("revoke-key")
@click.argument("client_id", type=click.UUID)
@click.argument("thumbprint")
@click.option("--reason", help="For the audit trail.")
def revoke(client_id: UUID, thumbprint: str, reason: str | None) -> None:
    """End the key THUMBPRINT of CLIENT_ID at once, as when it has leaked; the last one too."""

    async def revoked(db: AsyncSession) -> None:
        await revoke_key(db, client_id, thumbprint, actor=OPERATOR, reason=reason, now=now())

    do(revoked)
    click.echo(f"{thumbprint} is revoked. The token issuer is told by the worker.")


@group.command("revoke-onboarding-token")
@click.argument("client_id", type=click.UUID)
@click.option("--reason", help="For the audit trail.")
def revoke_token(client_id: UUID, reason: str | None) -> None:
    """End the onboarding token that came with the draft CLIENT_ID, as when it has leaked."""

    async def revoked(db: AsyncSession) -> None:
        await revoke_onboarding_token(db, client_id, actor=OPERATOR, reason=reason, now=now())

    do(revoked)
    click.echo(f"The onboarding token of {client_id} is revoked. Nothing else of it has changed.")


_DONE = {
    ClientEvent.BLOCK: "blocked",
    ClientEvent.UNBLOCK: "active again",
    ClientEvent.CLOSE: "closed",
}


def _change(client_id: UUID, event: ClientEvent, reason: str | None) -> None:
    async def changed(db: AsyncSession) -> None:
        await change_status(db, client_id, event, actor=OPERATOR, reason=reason, now=now())

    do(changed)
    click.echo(f"{client_id} is {_DONE[event]}. The token issuer is told by the worker.")
