"""`onboarding approvals`: deciding for the owners of APIs."""

from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.approvals.waiting import what_waits
from app.audit.trail import OPERATOR
from app.cli_work import do, moment, now, table


@click.group()
def group() -> None:
    """Decide, for the owners of APIs, on what clients ask for."""


@group.command(name="list")
def list_() -> None:
    """List everything that waits for a decision, oldest first."""
    waiting = do(what_waits)
    if not waiting:
        click.echo("Nothing waits.")
        return
    table(
        ("CLIENT", "ORGANIZATION", "KIND", "WHAT", "SINCE", "DECIDED BY ITSELF AT"),
        *(
            (
                str(entry.client_id),
                entry.organization_number,
                entry.kind,
                entry.what,
                moment(entry.since),
                moment(entry.decide_at),
            )
            for entry in waiting
        ),
    )


@group.command()
@click.argument("client_id", type=click.UUID)
@click.option("--scope", help="Decide on this scope.")
@click.option("--audience", help="Decide on access to this API.")
@click.option("--claim", "claim_type", help="Decide on the value of this claim.")
@click.option("--reason", help="The owner's words, shown to the client.")
def approve(client_id: UUID, **named: str | None) -> None:
    """Approve what is named, or all that waits for CLIENT_ID."""
    _decide(client_id, AccessEvent.APPROVE, **named)
    click.echo("Approved. The token issuer is told by the worker.")


@group.command()
@click.argument("client_id", type=click.UUID)
@click.option("--scope", help="Decide on this scope.")
@click.option("--audience", help="Decide on access to this API.")
@click.option("--claim", "claim_type", help="Decide on the value of this claim.")
@click.option("--reason", help="The owner's words, shown to the client.")
def refuse(client_id: UUID, **named: str | None) -> None:
    """Refuse what is named, or all that waits for CLIENT_ID; or take back what was granted."""
    _decide(client_id, AccessEvent.REFUSE, **named)
    click.echo("Refused. The token issuer is told by the worker.")


def _decide(client_id: UUID, event: AccessEvent, **named: str | None) -> None:
    decision = Decision(client_id=client_id, event=event, actor=OPERATOR, at=now(), **named)

    async def decided(db: AsyncSession) -> None:
        await decide_access(db, decision)

    do(decided)
