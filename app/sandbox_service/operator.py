"""Controls that play the operator: a client blocked or ended, a key leaked or revoked.

Each says and does what `onboarding client …` does, and answers when the token issuer knows.
"""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from litestar import Request, post
from litestar.params import FromPath
from msgspec import Struct

from app.client_configurations.operator import change_status
from app.client_keys.leaks import note_leak
from app.client_keys.models import ClientKey
from app.client_keys.revoking import revoke_key
from app.client_keys.rules import LIVE, KeyNotFound
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent, ClientStatus
from app.database import Database
from app.sandbox_service.keys import SANDBOX, HeldKey, held, keys_of, until_issuer_knows
from app.sandbox_service.persons import Persons
from app.web.bodies import read_body


class OperatorsWord(Struct, frozen=True, forbid_unknown_fields=True):
    action: Literal["block", "unblock", "close"]
    reason: str | None = None


class Changed(Struct, frozen=True, rename="camel"):
    client_id: UUID
    status: ClientStatus


@post("/clients/{client_id:uuid}/operator", status_code=HTTPStatus.OK)
async def change_client(request: Request[Any, Any, Any], client_id: FromPath[UUID]) -> Changed:
    asked = read_body(await request.body(), OperatorsWord)
    state = request.app.state
    database: Database = state.database
    async with database.sessions() as db:
        version = await change_status(
            db,
            client_id,
            ClientEvent(asked.action),
            actor=SANDBOX,
            reason=asked.reason,
            now=state.sandbox.now(),
        )
    await until_issuer_knows(request, client_id, version)
    async with database.sessions() as db:
        client = await db.get_one(ClientConfiguration, client_id)
        return Changed(client_id, client.status)


@post("/clients/{client_id:uuid}/keys/{kid:str}/leak", status_code=HTTPStatus.OK)
async def leak_key(
    request: Request[Any, Any, Any], client_id: FromPath[UUID], kid: FromPath[str]
) -> HeldKey:
    """As when an installer sends a private key, from which nobody needs its private part here."""
    persons: Persons = request.app.state.persons
    key = await _live_key(request, client_id, kid)
    await note_leak(
        persons.database.sessions,
        await persons.catalogues.in_force(),
        key.thumbprint,
        now=persons.clock(),
    )
    return await _as_it_is(request, client_id, kid)


@post("/clients/{client_id:uuid}/keys/{kid:str}/revoke", status_code=HTTPStatus.OK)
async def revoke_key_at_once(
    request: Request[Any, Any, Any], client_id: FromPath[UUID], kid: FromPath[str]
) -> HeldKey:
    persons: Persons = request.app.state.persons
    key = await _live_key(request, client_id, kid)
    async with persons.database.sessions() as db:
        version = await revoke_key(
            db, client_id, key.thumbprint, actor=SANDBOX, now=persons.clock()
        )
    await until_issuer_knows(request, client_id, version)
    return await _as_it_is(request, client_id, kid)


async def _live_key(request: Request[Any, Any, Any], client_id: UUID, kid: str) -> ClientKey:
    key = await _key(request, client_id, kid)
    if key.state not in LIVE:
        raise KeyNotFound
    return key


async def _key(request: Request[Any, Any, Any], client_id: UUID, kid: str) -> ClientKey:
    database: Database = request.app.state.database
    async with database.sessions.begin() as db:
        for key in await keys_of(db, client_id):
            if kid in (key.kid, key.thumbprint):
                return key
    raise KeyNotFound


async def _as_it_is(request: Request[Any, Any, Any], client_id: UUID, kid: str) -> HeldKey:
    return held(await _key(request, client_id, kid))


OPERATORS_CONTROLS = (change_client, leak_key, revoke_key_at_once)
