"""Clients that stand in the catalogue: made ready without a draft, by the operator's word."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.public_jwk import PublicKey, acceptable_jwk
from app.apis.catalogue import Catalogue, DeclaredClient
from app.apis.rules import CatalogueRefused
from app.approvals.models import ClaimValue
from app.approvals.queries import apis_to_change, scopes_to_change
from app.approvals.rules import AccessState
from app.approvals.use_cases import ask_for_access
from app.audit.trail import OPERATOR, Happened, record
from app.changes.queries import client_changed
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE, TRANSITIONS, KeyEvent, KeyOrigin
from app.client_keys.wire import StoredKey
from app.clients.models import ClientConfiguration
from app.delegations.following import follow
from app.publications.queries import want_publication
from app.settings import Environment
from app.state_machine import next_state


async def declare_client(
    db: AsyncSession,
    declared: DeclaredClient,
    catalogue: Catalogue,
    *,
    environment: Environment,
    client_scope: str,
    now: datetime,
) -> None:
    """Make the client what the catalogue says, in the caller's transaction.

    A key that the catalogue no longer has is revoked; keys that the client has added itself
    stay. Everything it asks for is granted, unless an owner has said no.
    """
    await _bring_client_in_line(db, declared, catalogue, now)
    await _bring_keys_in_line(db, declared, now)
    # Read without a lock: claims are locked last, and what is asked for again stays as it is.
    claims = await db.scalars(
        select(ClaimValue)
        .where(ClaimValue.client_id == declared.client_id)
        .order_by(ClaimValue.position)
    )
    values = [(row.claim_type, row.pending_value or row.active_value or "") for row in claims]
    await ask_for_access(
        db,
        client_id=declared.client_id,
        organization_number=declared.organization_number,
        scopes=declared.api_scopes,
        claims=values,
        catalogue=catalogue,
        environment=environment,
        client_scope=client_scope,
        now=now,
    )
    await _grant_what_waits(db, declared, now)
    client = await db.get_one(ClientConfiguration, declared.client_id)
    await follow(db, client, catalogue, now=now)
    record(db, Happened.CLIENT_DECLARED, actor=OPERATOR, subject=declared.client_id, at=now)
    await client_changed(db, declared.client_id)
    await want_publication(db, declared.client_id)


async def _bring_client_in_line(
    db: AsyncSession, declared: DeclaredClient, catalogue: Catalogue, now: datetime
) -> None:
    client = await db.get(
        ClientConfiguration, declared.client_id, with_for_update=True, populate_existing=True
    )
    if client is None:
        client = ClientConfiguration(
            client_id=declared.client_id,
            client_system_id=declared.client_system,
            tenancy=catalogue.systems[declared.client_system].tenancy,
            organization_number=declared.organization_number,
            organization_name=declared.organization_name,
            redirect_uris=[],
            post_logout_redirect_uris=[],
            child_organization_numbers=[],
            created_at=now,
        )
        db.add(client)
    elif (client.client_system_id, client.organization_number) != (
        declared.client_system,
        declared.organization_number,
    ):
        raise CatalogueRefused(
            [f"Client {declared.client_id} exists with another client system or organization."]
        )
    client.organization_name = declared.organization_name
    await db.flush()


async def _bring_keys_in_line(db: AsyncSession, declared: DeclaredClient, now: datetime) -> None:
    keys = [acceptable_jwk(jwk, pointer="#") for jwk in declared.public_jwks]
    thumbprints = {key.thumbprint for key in keys}
    rows = await db.scalars(
        select(ClientKey)
        .where((ClientKey.client_id == declared.client_id) | ClientKey.thumbprint.in_(thumbprints))
        .order_by(ClientKey.thumbprint)
        .with_for_update()
    )
    known = {row.thumbprint: row for row in rows}
    kids = {row.kid for row in known.values()}
    for key in keys:
        row = known.get(key.thumbprint)
        if row is None:
            if key.kid in kids:
                raise CatalogueRefused(
                    [f"Client {declared.client_id} has had another key named {key.kid}."]
                )
            db.add(_new_key(declared, key, now))
            _record_key(db, Happened.KEY_ADDED, declared, key.thumbprint, now)
        elif row.client_id != declared.client_id:
            raise CatalogueRefused(
                [f"A key of client {declared.client_id} belongs to another client: {key.kid}."]
            )
    for row in known.values():
        declared_once = row.origin == KeyOrigin.GUI and row.state in LIVE
        if declared_once and row.thumbprint not in thumbprints:
            row.state = next_state(TRANSITIONS, row.state, KeyEvent.REVOKE)
            _record_key(db, Happened.KEY_ENDED, declared, row.thumbprint, now)
    await db.flush()


def _new_key(declared: DeclaredClient, key: PublicKey, now: datetime) -> ClientKey:
    return ClientKey(
        thumbprint=key.thumbprint,
        client_id=declared.client_id,
        kid=key.kid,
        public_key=StoredKey(key.thumbprint, key.kid, key.parameters),
        origin=KeyOrigin.GUI,
        created_at=now,
    )


def _record_key(
    db: AsyncSession, happened: Happened, declared: DeclaredClient, thumbprint: str, now: datetime
) -> None:
    record(db, happened, actor=OPERATOR, subject=declared.client_id, at=now, key=thumbprint)


async def _grant_what_waits(db: AsyncSession, declared: DeclaredClient, now: datetime) -> None:
    scopes = await scopes_to_change(db, declared.client_id)
    apis = await apis_to_change(db, declared.client_id)
    for scope in scopes.values():
        if scope.state == AccessState.PENDING:
            scope.state, scope.since = AccessState.GRANTED, now
            scope.decide_at = scope.decide_as = None
    for api in apis.values():
        if api.state == AccessState.PENDING:
            api.state, api.since = AccessState.GRANTED, now
