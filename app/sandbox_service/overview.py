"""What the sandbox's page shows of the service's own state: drafts and clients, newest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, String, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.approvals.rules import AccessState
from app.client_configurations.overview import (
    ClaimSeen,
    DelegationSeen,
    KeySeen,
    ScopeSeen,
    client_overview,
)
from app.client_drafts.models import ClientDraft
from app.client_drafts.redirects import page_address
from app.client_drafts.rules import DraftStatus
from app.clients.models import ClientConfiguration
from app.onboardings.use_cases import Surroundings, onboarding_as_it_is
from app.onboardings.wire import Onboarding

MOST_SHOWN = 20


class ShownAccess(Struct, rename="camel", frozen=True):
    scope: str
    state: AccessState


class ShownClaim(Struct, rename="camel", frozen=True):
    claim_type: str
    value: str
    state: AccessState


class ShownClient(Struct, rename="camel", frozen=True, kw_only=True):
    """A draft, or the client that has come of it."""

    client_id: UUID
    client_system: str
    organization_number: str
    organization_name: str = ""
    external_ref: str | None
    status: str
    created_at: datetime
    expires_at: datetime | None = None
    confirm_url: str = ""
    replaces_keys_of: UUID | None = None
    onboarding: Onboarding | None = None
    scopes: list[ShownAccess] = []
    claims: list[ShownClaim] = []
    keys: list[KeySeen] = []
    delegations: list[DelegationSeen] = []


class Shown(Struct, rename="camel", frozen=True):
    api_keys: dict[str, str]
    clients: list[ShownClient]


async def shown(
    known_here: Surroundings, api_keys: dict[str, str], *, find: str, now: datetime
) -> Shown:
    """The newest; where something is looked for, the newest of those that have it."""
    async with known_here.database.sessions() as db:
        found = [
            *await _drafts(db, known_here.settings.base_url, find, now),
            *await _clients(db, find, now),
        ]
    newest = sorted(found, key=lambda one: one.created_at, reverse=True)[:MOST_SHOWN]
    return Shown(api_keys, [await _with_onboarding(known_here, one, now) for one in newest])


async def _drafts(db: AsyncSession, base_url: str, find: str, now: datetime) -> list[ShownClient]:
    columns = (
        ClientDraft.client_id,
        ClientDraft.organization_number,
        ClientDraft.client_system_id,
        ClientDraft.external_ref,
    )
    drafts = await db.scalars(
        select(ClientDraft)
        .where(ClientDraft.status != DraftStatus.CONFIRMED, _has(find, *columns))
        .order_by(ClientDraft.created_at.desc())
        .limit(MOST_SHOWN)
    )
    return [_of_draft(draft, base_url, now) for draft in drafts]


async def _clients(db: AsyncSession, find: str, now: datetime) -> list[ShownClient]:
    columns = (
        ClientConfiguration.client_id,
        ClientConfiguration.organization_number,
        ClientConfiguration.organization_name,
        ClientConfiguration.client_system_id,
        ClientConfiguration.external_ref,
    )
    client_ids = await db.scalars(
        select(ClientConfiguration.client_id)
        .where(_has(find, *columns))
        .order_by(ClientConfiguration.created_at.desc())
        .limit(MOST_SHOWN)
    )
    return [await _of_client(db, client_id, now) for client_id in client_ids.all()]


def _has(find: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return or_(*(cast(column, String).icontains(find, autoescape=True) for column in columns))


async def _with_onboarding(
    known_here: Surroundings, client: ShownClient, now: datetime
) -> ShownClient:
    onboarding = await onboarding_as_it_is(known_here, client.client_id, now=now)
    name = client.organization_name or (onboarding and onboarding.organization_name) or ""
    return replace(client, onboarding=onboarding, organization_name=name)


def _of_draft(draft: ClientDraft, base_url: str, now: datetime) -> ShownClient:
    return ShownClient(
        client_id=draft.client_id,
        client_system=draft.client_system_id,
        organization_number=draft.organization_number,
        external_ref=draft.external_ref,
        status=draft.status_at(now),
        created_at=draft.created_at,
        expires_at=draft.expires_at,
        confirm_url=base_url + page_address(draft.client_id),
        replaces_keys_of=draft.replaces_keys_of,
    )


async def _of_client(db: AsyncSession, client_id: UUID, now: datetime) -> ShownClient:
    client = await client_overview(db, client_id, now=now)
    return ShownClient(
        client_id=client_id,
        client_system=client.client_system,
        organization_number=client.organization_number,
        organization_name=client.organization_name,
        external_ref=client.external_ref,
        status=client.status,
        created_at=client.created_at,
        scopes=[ShownAccess(one.scope, _state(one)) for one in client.scopes],
        claims=[_claim(one) for one in client.claims],
        keys=client.keys,
        delegations=client.delegations,
    )


def _state(scope: ScopeSeen) -> AccessState:
    """The API's owner decides on the whole API first, and then on its scopes."""
    return scope.scope_access if scope.api_access is AccessState.GRANTED else scope.api_access


def _claim(claim: ClaimSeen) -> ShownClaim:
    if claim.pending_value is None:
        return ShownClaim(claim.claim_type, claim.active_value or "", AccessState.GRANTED)
    state = AccessState.REJECTED if claim.pending_refused else AccessState.PENDING
    return ShownClaim(claim.claim_type, claim.pending_value, state)
