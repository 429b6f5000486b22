"""What becomes of a client draft. Each function is one transaction."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import EndUser
from app.apis.catalogue import Catalogue, Tenancy
from app.approvals.use_cases import ask_for_access
from app.audit.trail import WORKER, Happened, record
from app.changes.queries import client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.noting import visited
from app.client_drafts.queries import draft_to_decide, is_registered
from app.client_drafts.registering import key_may_be_taken, register_key
from app.client_drafts.replacement import replace_keys
from app.client_drafts.rules import (
    ACTIVATED_WITHIN,
    LEAST_TO_ACT,
    TRANSITIONS,
    DeclineReason,
    DraftEvent,
    DraftExpired,
    DraftNotFound,
    DraftStatus,
    LastVisit,
)
from app.client_drafts.telling import tell_of_client
from app.client_drafts.validity import needs_activation, outdated
from app.client_keys.rules import KeyTaken
from app.clients.models import ClientConfiguration
from app.delegations.following import follow
from app.organizations.queries import entry_of, remembered_organization
from app.organizations.register import RegisterEntry
from app.publications.queries import want_publication
from app.settings import Settings
from app.state_machine import next_state


class Decided(Struct, frozen=True):
    """A decision that has been committed."""

    draft: ClientDraft
    published_version: int | None = None
    """What the token issuer has to know before the client can be used."""


async def open_client_draft(
    db: AsyncSession,
    user: EndUser,
    client_id: UUID,
    *,
    redirect_port: int | None,
    redirect_path: str | None,
    now: datetime,
) -> ClientDraft | None:
    """Note that a logged-in person has seen the draft. An old link's address is kept once."""
    async with db.begin():
        draft = await draft_to_decide(db, client_id)
        if draft is None:
            return None
        if draft.opened_at is None:
            draft.opened_at = now
            if visited(draft, LastVisit.OPENED, now):
                await client_changed(db, client_id)
        has_address = draft.asked.post_client_confirmation_redirect_uri is not None
        if not has_address and draft.redirect_port is None:
            draft.redirect_port, draft.redirect_path = redirect_port, redirect_path
    return draft


async def confirm_client_draft(
    db: AsyncSession,
    user: EndUser,
    client_id: UUID,
    *,
    catalogue: Catalogue,
    settings: Settings,
    contact_email: str | None,
    now: datetime,
) -> Decided:
    """Turn a draft into a client, which can authenticate once the token issuer knows it.

    Where the client system asks for activation, the client begins with that.
    """
    with key_may_be_taken():
        async with db.begin():
            draft = await draft_in_force(db, client_id, now=now)
            waits = needs_activation(draft, catalogue)
            event = DraftEvent.AWAIT_ACTIVATION if waits else DraftEvent.CONFIRM
            decide(draft, event, pseudonym=user.pseudonym, now=now)
            record(db, Happened.DRAFT_CONFIRMED, actor=user.actor, subject=client_id, at=now)
            if waits:
                version = None
                await _check_still_good(db, draft, catalogue, settings)
                await await_activation(db, draft, contact_email, settings, now)
            else:
                version = await make_client(
                    db,
                    draft,
                    catalogue=catalogue,
                    settings=settings,
                    contact_email=contact_email,
                    now=now,
                )
    return Decided(draft, version)


async def await_activation(
    db: AsyncSession,
    draft: ClientDraft,
    contact_email: str | None,
    settings: Settings,
    now: datetime,
) -> None:
    """From now on the program can send the code of this confirmation back."""
    draft.activation_until = now + settings.scaled(ACTIVATED_WITHIN, least=LEAST_TO_ACT)
    draft.contact_email = contact_email
    await client_changed(db, draft.client_id)


async def lapse(db: AsyncSession, draft: ClientDraft, now: datetime) -> None:
    """Nothing is kept of a confirmation that nobody has activated in time, but that it was so."""
    draft.decided_at = draft.decided_by = draft.contact_email = None
    record(db, Happened.DRAFT_LAPSED, actor=WORKER, subject=draft.client_id, at=now)
    await client_changed(db, draft.client_id)


async def make_client(
    db: AsyncSession,
    draft: ClientDraft,
    *,
    catalogue: Catalogue,
    settings: Settings,
    contact_email: str | None,
    now: datetime,
) -> int | None:
    """The client of a draft that has just been confirmed, in the transaction of that.

    Returns the version that the token issuer has to know; None where nothing changes yet. Raises
    `KeyTaken` and `DraftOutdated`.
    """
    entry = await _check_still_good(db, draft, catalogue, settings)
    if draft.replaces_keys_of is not None:
        return await replace_keys(db, draft, catalogue, settings, now)
    await _add_client(db, draft, entry, contact_email, now)
    register_key(db, draft, settings, now)
    await _ask_for_access(db, draft, catalogue, settings, now)
    if draft.activated_at is None:
        known_name = entry.name if entry else None
        tell_of_client(
            db,
            draft,
            catalogue,
            organization_name=known_name or draft.organization_number,
            contact_email=contact_email,
            now=now,
        )
    await client_changed(db, draft.client_id)
    return await want_publication(db, draft.client_id)


async def _check_still_good(
    db: AsyncSession, draft: ClientDraft, catalogue: Catalogue, settings: Settings
) -> RegisterEntry | None:
    """What the register says of the organization; `KeyTaken` and `DraftOutdated` are raised."""
    if await is_registered(db, draft.public_key.thumbprint):
        raise KeyTaken
    organization = await remembered_organization(db, draft.organization_number)
    entry = entry_of(organization) if organization else None
    if why := outdated(draft, catalogue, entry, settings):
        raise why
    return entry


async def decline_client_draft(
    db: AsyncSession, user: EndUser, client_id: UUID, *, reason: DeclineReason, now: datetime
) -> Decided:
    """End a draft that the person does not want."""
    async with db.begin():
        draft = await decided_draft(
            db, client_id, DraftEvent.DECLINE, pseudonym=user.pseudonym, now=now
        )
        draft.decline_reason = reason
        record(
            db,
            Happened.DRAFT_DECLINED,
            actor=user.actor,
            subject=client_id,
            at=now,
            reason=reason,
        )
        await client_changed(db, client_id)
    return Decided(draft)


async def decided_draft(
    db: AsyncSession, client_id: UUID, event: DraftEvent, *, pseudonym: str, now: datetime
) -> ClientDraft:
    """The draft, locked, with its new status. Every event that the table leaves out is refused."""
    draft = await draft_in_force(db, client_id, now=now)
    decide(draft, event, pseudonym=pseudonym, now=now)
    return draft


async def draft_in_force(db: AsyncSession, client_id: UUID, *, now: datetime) -> ClientDraft:
    """The draft, locked until the transaction ends, if its time is not over."""
    draft = await draft_to_decide(db, client_id)
    if draft is None:
        raise DraftNotFound
    status = draft.status_at(now)
    if status == DraftStatus.EXPIRED:
        raise DraftExpired(draft.expires_at)
    draft.status = status
    return draft


def decide(draft: ClientDraft, event: DraftEvent, *, pseudonym: str, now: datetime) -> None:
    draft.status = next_state(TRANSITIONS, draft.status, event)
    draft.decided_at, draft.decided_by = now, pseudonym


async def _add_client(
    db: AsyncSession,
    draft: ClientDraft,
    entry: RegisterEntry | None,
    contact_email: str | None,
    now: datetime,
) -> None:
    known_name = entry.name if entry else None
    db.add(
        ClientConfiguration(
            client_id=draft.client_id,
            client_system_id=draft.client_system_id,
            tenancy=Tenancy.SINGLE,
            organization_number=draft.organization_number,
            organization_name=known_name or draft.organization_number,
            redirect_uris=draft.asked.redirect_uris,
            post_logout_redirect_uris=draft.asked.post_logout_redirect_uris,
            child_organization_numbers=draft.asked.child_organization_numbers,
            external_ref=draft.external_ref,
            contact_email=contact_email,
            created_at=now,
        )
    )
    await db.flush()


async def _ask_for_access(
    db: AsyncSession, draft: ClientDraft, catalogue: Catalogue, settings: Settings, now: datetime
) -> None:
    """Of the APIs' owners, and in Altinn."""
    await ask_for_access(
        db,
        client_id=draft.client_id,
        organization_number=draft.organization_number,
        scopes=draft.asked.api_scopes,
        claims=[(claim.key, claim.value) for claim in draft.asked.claims],
        catalogue=catalogue,
        environment=settings.environment,
        client_scope=settings.client_scope,
        time_scale=settings.time_scale,
        now=now,
    )
    client = await db.get_one(ClientConfiguration, draft.client_id)
    await follow(db, client, catalogue, now=now)
