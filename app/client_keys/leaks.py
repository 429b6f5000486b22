"""Keys whose private part has been sent to us: somebody has it who should not."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Sessions
from app.notices.queries import tell
from app.notices.rules import NoticeKind, Recipient


async def note_leak(
    sessions: Sessions, catalogue: Catalogue, thumbprint: str, *, now: datetime
) -> None:
    """Where the key is a client's, that is kept, and those are told who can replace it."""
    async with sessions.begin() as db:
        key = await db.scalar(
            select(ClientKey).where(ClientKey.thumbprint == thumbprint).with_for_update()
        )
        if key is None or key.state not in LIVE or key.leaked_at is not None:
            return
        client = await db.get_one(ClientConfiguration, key.client_id)
        if client.status is ClientStatus.CLOSED:
            return  # nothing is opened by its keys, and nobody is left to replace them
        key.leaked_at = now
        record(
            db,
            Happened.KEY_LEAKED,
            actor=Actor("unknown"),
            subject=key.client_id,
            at=now,
            key=thumbprint,
        )
        _tell(db, client, key, catalogue, now)
        await client_changed(db, key.client_id)


def _tell(
    db: AsyncSession,
    client: ClientConfiguration,
    key: ClientKey,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    system = catalogue.systems[client.client_system_id]
    tell(
        db,
        NoticeKind.KEY_LEAKED,
        client.client_id,
        [
            (Recipient.ORGANIZATION, client.contact_email),
            (Recipient.SUPPLIER, system.supplier_contact),
        ],
        facts={
            "system": system.name,
            "supplier": system.supplier_name,
            "organization": client.organization_name,
            "number": client.organization_number,
            "client_id": str(client.client_id),
            "key": key.thumbprint,
        },
        at=now,
    )
