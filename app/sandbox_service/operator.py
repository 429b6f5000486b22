"""Controls that play the operator: a client blocked or ended, a key leaked or revoked.

Each says and does what `onboarding client …` does, and answers when the token issuer knows.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Request, post
from litestar.params import FromPath

from app.client_configurations.operator import change_status
from app.client_keys.leaks import note_leak
from app.client_keys.models import ClientKey
from app.client_keys.revoking import revoke_key
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent
from app.database import Database
from app.sandbox.controls.wire import Changed, HeldKey, OperatorsWord
from app.sandbox_service.keys import SANDBOX, held, live_key, until_issuer_knows
from app.sandbox_service.persons import Persons
from app.web.bodies import read_body


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
    thumbprint = await _live_key(persons.database, client_id, kid)
    await note_leak(
        persons.database.sessions,
        await persons.catalogues.in_force(),
        thumbprint,
        now=persons.clock(),
    )
    return await _as_it_is(persons.database, thumbprint)


@post("/clients/{client_id:uuid}/keys/{kid:str}/revoke", status_code=HTTPStatus.OK)
async def revoke_key_at_once(
    request: Request[Any, Any, Any], client_id: FromPath[UUID], kid: FromPath[str]
) -> HeldKey:
    persons: Persons = request.app.state.persons
    thumbprint = await _live_key(persons.database, client_id, kid)
    async with persons.database.sessions() as db:
        version = await revoke_key(db, client_id, thumbprint, actor=SANDBOX, now=persons.clock())
    await until_issuer_knows(request, client_id, version)
    return await _as_it_is(persons.database, thumbprint)


async def _live_key(database: Database, client_id: UUID, named: str) -> str:
    async with database.sessions.begin() as db:
        return (await live_key(db, client_id, named)).thumbprint


async def _as_it_is(database: Database, thumbprint: str) -> HeldKey:
    async with database.sessions() as db:
        return held(await db.get_one(ClientKey, thumbprint))


OPERATORS_CONTROLS = (change_client, leak_key, revoke_key_at_once)
