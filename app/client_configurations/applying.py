"""Applying a catalogue, with what that means for the clients there are. One transaction."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.api_keys import systems_with_live_keys
from app.apis.catalogue import Catalogue
from app.apis.differences import differences
from app.apis.queries import newest_catalogue
from app.apis.rules import CatalogueRefused
from app.apis.use_cases import add_version
from app.approvals.models import ClaimValue, ScopeAccess
from app.changes.queries import client_changed, every_client_may_have_changed
from app.client_configurations.declaring import declare_client
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import one_at_a_time
from app.delegations.following import follow
from app.publications.queries import want_publication
from app.settings import Environment


async def apply_catalogue(
    db: AsyncSession,
    catalogue: Catalogue,
    *,
    environment: Environment,
    client_scope: str,
    now: datetime,
) -> list[str]:
    """Put a catalogue in force and answer what has changed; nothing, when it is in force already.

    Raises `CatalogueRefused` where clients, or keys of client systems, need what it leaves out.
    """
    async with db.begin():
        await one_at_a_time(db, "catalogue")
        newest = await newest_catalogue(db)
        old = newest.content if newest else None
        changes = differences(old, catalogue)
        if not changes:
            return []
        if old is not None:
            await _check_nothing_needed_goes(db, old, catalogue)
        await add_version(db, catalogue, changes, now)
        for client_id, declared in catalogue.declared_clients.items():
            if old is None or old.declared_clients.get(client_id) != declared:
                await declare_client(
                    db,
                    declared,
                    catalogue,
                    environment=environment,
                    client_scope=client_scope,
                    now=now,
                )
        if old is not None:
            await _tell_of_changed_systems(db, old, catalogue, now)
        # Names, owners and texts are the catalogue's, and its version is part of every answer's.
        await every_client_may_have_changed(db)
    return changes


async def _check_nothing_needed_goes(db: AsyncSession, old: Catalogue, new: Catalogue) -> None:
    closed = ClientConfiguration.status == ClientStatus.CLOSED
    of_clients = select(ClientConfiguration.client_system_id).where(~closed).distinct()
    scopes = (
        select(ScopeAccess.scope)
        .join(ClientConfiguration, ClientConfiguration.client_id == ScopeAccess.client_id)
        .where(~closed, ScopeAccess.position.is_not(None))
        .distinct()
    )
    claims = (
        select(ClaimValue.claim_type)
        .join(ClientConfiguration, ClientConfiguration.client_id == ClaimValue.client_id)
        .where(~closed)
        .distinct()
    )
    gone = old.systems.keys() - new.systems.keys()
    faults = [
        *_needed("client system", gone, await systems_with_live_keys(db), "API keys"),
        *_needed("client system", gone, set(await db.scalars(of_clients)), "clients"),
        *_needed(
            "scope",
            old.api_scopes.keys() - new.api_scopes,
            set(await db.scalars(scopes)),
            "clients",
        ),
        *_needed(
            "claim",
            old.client_claims.keys() - new.client_claims,
            set(await db.scalars(claims)),
            "clients",
        ),
    ]
    if faults:
        raise CatalogueRefused(faults)


def _needed(kind: str, gone: Collection[str], used: set[str], by: str) -> Iterator[str]:
    for name in sorted(used & set(gone)):
        yield f"The {kind} {name} cannot be left out: it has {by} in use."


async def _tell_of_changed_systems(
    db: AsyncSession, old: Catalogue, new: Catalogue, now: datetime
) -> None:
    """The issuer knows something of each client that stands with its system in the catalogue."""
    systems = [name for name, system in new.systems.items() if old.systems.get(name) != system]
    left_out = old.declared_clients.keys() - new.declared_clients
    clients = await db.scalars(
        select(ClientConfiguration)
        .where(
            ClientConfiguration.client_system_id.in_(systems)
            | ClientConfiguration.client_id.in_(left_out),
            ClientConfiguration.status != ClientStatus.CLOSED,
        )
        .order_by(ClientConfiguration.client_id)
        .with_for_update()
    )
    for client in clients.all():
        await follow(db, client, new, now=now)
        await client_changed(db, client.client_id)
        await want_publication(db, client.client_id)
