"""What the operator does with a client. Each function is one transaction."""

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.clients.models import ClientConfiguration
from app.clients.rules import TRANSITIONS, ClientEvent
from app.problems import Problem
from app.publications.queries import want_publication
from app.state_machine import next_state

HAPPENED = {
    ClientEvent.BLOCK: Happened.CLIENT_BLOCKED,
    ClientEvent.UNBLOCK: Happened.CLIENT_UNBLOCKED,
    ClientEvent.CLOSE: Happened.CLIENT_CLOSED,
}


class NoSuchClient(Problem):
    slug = "no-such-client"
    title = "There is no client with this id"
    status = HTTPStatus.NOT_FOUND


async def change_status(
    db: AsyncSession,
    client_id: UUID,
    event: ClientEvent,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> int:
    """Block, unblock or close a client: here from now on, at the issuer once it has been told.

    Answers the version that the issuer has to know. What is closed stays so.
    """
    async with db.begin():
        client = await db.get(ClientConfiguration, client_id, with_for_update=True)
        if client is None:
            raise NoSuchClient(f"No client has the id {client_id}.")
        client.status = next_state(TRANSITIONS, client.status, event)
        client.status_since = now
        details = {"reason": reason} if reason else {}
        record(db, HAPPENED[event], actor=actor, subject=client_id, at=now, **details)
        await client_changed(db, client_id)
        return await want_publication(db, client_id)
