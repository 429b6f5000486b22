"""Whom a confirmation concerns is told of it, and can stop what he does not know."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.client_drafts.models import ClientDraft
from app.notices.queries import tell
from app.notices.rules import NoticeKind, Recipient


def tell_of_client(
    db: AsyncSession,
    draft: ClientDraft,
    catalogue: Catalogue,
    *,
    organization_name: str,
    contact_email: str | None,
    now: datetime,
) -> None:
    """Where nothing is activated, nothing but the person stands against a foreign draft."""
    system = catalogue.systems[draft.client_system_id]
    tell(
        db,
        NoticeKind.CLIENT_CONFIRMED,
        draft.client_id,
        {
            Recipient.ORGANIZATION: contact_email,
            Recipient.SUPPLIER: system.supplier_contact,
        },
        facts={
            "system": system.name,
            "supplier": system.supplier_name,
            "organization": organization_name,
            "number": draft.organization_number,
            "client_id": str(draft.client_id),
        },
        at=now,
    )
