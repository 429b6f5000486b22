"""Whom a confirmation concerns is told of it, and can stop what he does not know."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue, Policy
from app.approvals.models import ScopeAccess
from app.approvals.rules import AccessState
from app.client_drafts.models import ClientDraft
from app.clients.models import ClientConfiguration
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
    _tell(db, NoticeKind.CLIENT_CONFIRMED, draft, catalogue, organization_name, contact_email, now)


def tell_of_waiting_keys(
    db: AsyncSession,
    draft: ClientDraft,
    client: ClientConfiguration,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    """Of an exchange that they can stop."""
    name, contact = client.organization_name, client.contact_email
    _tell(db, NoticeKind.KEYS_TO_BE_REPLACED, draft, catalogue, name, contact, now)


async def tell_of_replaced_keys(
    db: AsyncSession,
    draft: ClientDraft,
    client: ClientConfiguration,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    """Of an exchange that has happened; the owners who approved the client by hand too."""
    name, contact = client.organization_name, client.contact_email
    owners = await _owners_who_approved(db, client, catalogue)
    _tell(db, NoticeKind.KEYS_REPLACED, draft, catalogue, name, contact, now, owners)


def _tell(
    db: AsyncSession,
    kind: NoticeKind,
    draft: ClientDraft,
    catalogue: Catalogue,
    organization_name: str,
    contact_email: str | None,
    now: datetime,
    owners: Sequence[str | None] = (),
) -> None:
    system = catalogue.systems[draft.client_system_id]
    tell(
        db,
        kind,
        draft.final_client_id,
        [
            (Recipient.ORGANIZATION, contact_email),
            (Recipient.SUPPLIER, system.supplier_contact),
            *((Recipient.API_OWNER, contact) for contact in owners),
        ],
        facts={
            "system": system.name,
            "supplier": system.supplier_name,
            "organization": organization_name,
            "number": draft.organization_number,
            "client_id": str(draft.final_client_id),
            "draft_id": str(draft.client_id),
        },
        at=now,
    )


async def _owners_who_approved(
    db: AsyncSession, client: ClientConfiguration, catalogue: Catalogue
) -> list[str | None]:
    """Where they are reached, each once."""
    granted = await db.scalars(
        select(ScopeAccess.scope).where(
            ScopeAccess.client_id == client.client_id,
            ScopeAccess.position.is_not(None),
            ScopeAccess.state == AccessState.GRANTED,
        )
    )
    manual = [
        scope
        for scope in granted
        if scope in catalogue.api_scopes and catalogue.api_scopes[scope].policy is Policy.MANUAL
    ]
    apis = [catalogue.api_of_scope[scope] for scope in manual]
    return list(dict.fromkeys(api.owner_contact for api in apis))
