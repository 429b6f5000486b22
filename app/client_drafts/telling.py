"""Whom a confirmation concerns is told of it, and can stop what he does not know."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue, ClientSystem, Policy
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
    system = catalogue.systems[draft.client_system_id]
    tell(
        db,
        NoticeKind.CLIENT_CONFIRMED,
        draft.client_id,
        [
            (Recipient.ORGANIZATION, contact_email),
            (Recipient.SUPPLIER, system.supplier_contact),
        ],
        facts=_facts(draft, system, organization_name),
        at=now,
    )


def tell_of_waiting_keys(
    db: AsyncSession,
    draft: ClientDraft,
    client: ClientConfiguration,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    """Of an exchange that they can stop."""
    system = catalogue.systems[draft.client_system_id]
    tell(
        db,
        NoticeKind.KEYS_TO_BE_REPLACED,
        client.client_id,
        [
            (Recipient.ORGANIZATION, client.contact_email),
            (Recipient.SUPPLIER, system.supplier_contact),
        ],
        facts=_facts(draft, system, client.organization_name),
        at=now,
    )


async def tell_of_replaced_keys(
    db: AsyncSession,
    draft: ClientDraft,
    client: ClientConfiguration,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    """Of an exchange that has happened; the owners who approved the client by hand too."""
    system = catalogue.systems[draft.client_system_id]
    owners = await _owners_who_approved(db, client, catalogue)
    tell(
        db,
        NoticeKind.KEYS_REPLACED,
        client.client_id,
        [
            (Recipient.ORGANIZATION, client.contact_email),
            (Recipient.SUPPLIER, system.supplier_contact),
            *((Recipient.API_OWNER, contact) for contact in owners),
        ],
        facts=_facts(draft, system, client.organization_name),
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


def _facts(draft: ClientDraft, system: ClientSystem, organization_name: str) -> dict[str, str]:
    return {
        "system": system.name,
        "supplier": system.supplier_name,
        "organization": organization_name,
        "number": draft.organization_number,
        "client_id": str(draft.final_client_id),
        "draft_id": str(draft.client_id),
    }
