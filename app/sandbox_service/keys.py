"""Controls of one client's keys: a nearer end, and an installation that an old image brings back.

The service and the token issuer lose nothing when an installation is restored; the installation
does. What it registered after the image was taken it cannot use any more, and that is what the
control says here: those keys are revoked, and the issuer learns of it as of any other change.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Request, post, put
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.client_configurations.operator import NoSuchClient
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE, TRANSITIONS, KeyEvent, KeyNotFound
from app.clients.models import ClientConfiguration
from app.database import Database
from app.publications.queries import want_publication
from app.sandbox.controls.wire import End, HeldKey, Restored, Snapshot
from app.sandbox_service.persons import Persons
from app.sandbox_service.state import Image, SandboxState, keep_image, kept_image
from app.state_machine import next_state
from app.web.bodies import read_body
from app.web.problem_details import NotFound

SANDBOX = Actor("sandbox")


@put("/clients/{client_id:uuid}/keys/{kid:str}")
async def end_key_at(
    request: Request[Any, Any, Any], client_id: FromPath[UUID], kid: FromPath[str]
) -> HeldKey:
    asked = read_body(await request.body(), End)
    database: Database = request.app.state.database
    state: SandboxState = request.app.state.sandbox
    async with database.sessions.begin() as db:
        key = await live_key(db, client_id, kid)
        key.expires_at = state.now() + timedelta(seconds=asked.expires_in_seconds)
        version = await _told(db, client_id)
    await until_issuer_knows(request, client_id, version)
    return held(key)


@post("/clients/{client_id:uuid}/snapshot", status_code=HTTPStatus.OK)
async def take_snapshot(request: Request[Any, Any, Any], client_id: FromPath[UUID]) -> Snapshot:
    database: Database = request.app.state.database
    state: SandboxState = request.app.state.sandbox
    async with database.sessions() as db:
        live = [key for key in await _keys_of(db, client_id) if key.state in LIVE]
    image = Image(state.now(), [key.thumbprint for key in live])
    async with database.writes.acquire() as connection:
        await keep_image(connection, client_id, image)
    return Snapshot(image.taken_at, [held(key) for key in live])


@post("/clients/{client_id:uuid}/restore", status_code=HTTPStatus.OK)
async def restore(request: Request[Any, Any, Any], client_id: FromPath[UUID]) -> Restored:
    database: Database = request.app.state.database
    state: SandboxState = request.app.state.sandbox
    async with database.writes.acquire() as connection:
        image = await kept_image(connection, client_id)
    if image is None:
        raise NotFound("No snapshot of this client was taken: POST …/snapshot does.")
    async with database.sessions.begin() as db:
        keys = await _keys_of(db, client_id)
        again = [key for key in keys if key.thumbprint in image.thumbprints]
        lost = [key for key in keys if key.thumbprint not in image.thumbprints]
        for key in lost:
            if key.state in LIVE:
                _revoke(db, key, state.now())
        version = await _told(db, client_id)
    await until_issuer_knows(request, client_id, version)
    return Restored(
        taken_at=image.taken_at,
        keys=[held(key) for key in again],
        lost_keys=[held(key) for key in lost],
        can_log_in=any(key.state in LIVE for key in again),
    )


async def live_key(db: AsyncSession, client_id: UUID, named: str) -> ClientKey:
    """By its `kid` or its thumbprint."""
    for key in await _keys_of(db, client_id):
        if named in (key.kid, key.thumbprint) and key.state in LIVE:
            return key
    raise KeyNotFound


async def _keys_of(db: AsyncSession, client_id: UUID) -> Sequence[ClientKey]:
    """Of a client that there is, oldest first."""
    if await db.get(ClientConfiguration, client_id, with_for_update=True) is None:
        raise NoSuchClient(
            f"There is no client {client_id}: one is made when its draft is confirmed."
        )
    keys = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id)
        .order_by(ClientKey.created_at, ClientKey.thumbprint)
        .with_for_update()
    )
    return keys.all()


def _revoke(db: AsyncSession, key: ClientKey, now: datetime) -> None:
    before = key.state
    key.state = next_state(TRANSITIONS, before, KeyEvent.REVOKE)
    record(
        db,
        Happened.KEY_ENDED,
        actor=SANDBOX,
        subject=key.client_id,
        at=now,
        key=key.thumbprint,
        before=before,
        after=key.state,
    )


async def _told(db: AsyncSession, client_id: UUID) -> int:
    await client_changed(db, client_id)
    return await want_publication(db, client_id)


async def until_issuer_knows(
    request: Request[Any, Any, Any], client_id: UUID, version: int
) -> None:
    persons: Persons = request.app.state.persons
    await persons.issuer_knows(client_id, version)


def held(key: ClientKey) -> HeldKey:
    return HeldKey(key.kid, key.thumbprint, key.state, key.expires_at)
