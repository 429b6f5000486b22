"""Telling the token issuer what it has to know."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, Sessions
from app.publications.leases import (
    Lease,
    mark_failed,
    mark_published,
    next_lease,
    want_all_again,
)
from app.publications.queries import scopes_told
from app.publications.rules import CALL_WITHIN, LEASE, wait_after
from app.publications.token_issuer import IssuerUnavailable, Registration, TokenIssuer

log = logging.getLogger(__name__)

RegistrationOf: TypeAlias = Callable[[AsyncSession, UUID], Awaitable[Registration | None]]
"""All that the issuer has to know of a client; None when it has to know nothing of it."""

KeysPublished: TypeAlias = Callable[[AsyncSession, UUID, Sequence[str]], Awaitable[None]]
"""Writes down that the issuer knows the client's keys, by their thumbprints."""


async def publish_one(
    database: Database,
    issuer: TokenIssuer,
    *,
    registration_of: RegistrationOf,
    keys_published: KeysPublished,
) -> bool:
    """Tell the issuer of the client that has been due longest. False when none is due.

    A lease keeps others away from the client, so that calls about it go out one by one and in
    order; no transaction is open during the call. Whatever goes wrong with one client, only that
    client waits. One that is changed meanwhile is due again as soon as its lease is given back.
    """
    async with database.writes.acquire() as connection:
        lease = await next_lease(connection, LEASE)
    if lease is None:
        return False
    try:
        await _publish(database, issuer, lease, registration_of, keys_published)
    except (IssuerUnavailable, TimeoutError) as error:
        log.warning("the issuer was not told of client %s: %s", lease.client_id, error)
        await _failed(database, lease, str(error) or "no answer in time")
    except Exception as error:
        log.exception("the issuer cannot be told of client %s", lease.client_id)
        await _failed(database, lease, f"not sent: {type(error).__name__}")
    return True


async def _publish(
    database: Database,
    issuer: TokenIssuer,
    lease: Lease,
    registration_of: RegistrationOf,
    keys_published: KeysPublished,
) -> None:
    async with database.sessions() as db:
        registration = await registration_of(db, lease.client_id)

    async with asyncio.timeout(CALL_WITHIN.total_seconds()):
        if registration is None:
            await issuer.withdraw(lease.client_id)
        else:
            await issuer.publish(registration)

    # Two transactions, that of the keys and scopes first: who sees the version published, sees its
    # keys active. In one, rows would be locked in another order than where clients are changed.
    async with database.sessions.begin() as db:
        if registration is not None:
            thumbprints = [key.thumbprint for key in registration.keys]
            await keys_published(db, lease.client_id, thumbprints)
        await scopes_told(db, lease.client_id, registration.scopes if registration else ())
    async with database.writes.acquire() as connection:
        await mark_published(connection, lease)


async def _failed(database: Database, lease: Lease, failure: str) -> None:
    chance = random.random()  # noqa: S311  # it guards no secret
    wait = wait_after(lease.attempts + 1, chance)
    async with database.writes.acquire() as connection:
        await mark_failed(connection, lease, failure, wait)


async def republish_all(sessions: Sessions) -> int:
    """Tell an issuer that may have lost its registrations of every client again: how many."""
    async with sessions() as db:
        return await republish_every_client(db)


async def republish_every_client(db: AsyncSession) -> int:
    """The same, in a session that has no transaction open."""
    async with db.begin():
        return await want_all_again(db)
