import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from app.access.api_keys import issue_api_key, register_api_key, revoke_api_key
from app.apis.models import CatalogueVersion
from app.apis.queries import Catalogues
from app.apis.rules import CatalogueRefused, read_catalogue
from app.approvals.models import ApiAccess, ScopeAccess
from app.approvals.rules import AccessState
from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR
from app.client_configurations.applying import apply_catalogue
from app.client_configurations.operator import NoSuchClient, change_status
from app.client_configurations.overview import client_overview
from app.client_keys.models import ClientKey
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent, ClientStatus
from app.database import Database
from app.publications.models import Publication
from app.settings import Environment
from app.state_machine import WrongState
from tests.examples import NOW

SEED = Path(__file__).parents[2] / "app" / "sandbox" / "catalogue.json"
SAMPLE = SEED.parent / "multi_tenant_client.json"
CLIENT = UUID("3c0a7c1e-5d2f-4b6a-9e41-7f10c2a4d8b5")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


def seed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SEED.read_text(encoding="utf-8"))
    return document


async def apply(
    database: Database,
    document: dict[str, Any],
    environment: Environment = Environment.PRODUCTION,
) -> list[str]:
    catalogue = read_catalogue(json.dumps(document).encode())
    async with database.sessions() as db:
        return await apply_catalogue(
            db,
            catalogue,
            environment=environment,
            client_scope="nhn:selvbetjening/client",
            now=NOW,
        )


async def count(database: Database, table: type) -> int:
    async with database.sessions() as db:
        return await db.scalar(select(func.count()).select_from(table)) or 0


async def wanted(database: Database) -> int:
    async with database.sessions() as db:
        return (await db.get_one(Publication, CLIENT)).wanted


def without_system(document: dict[str, Any], name: str) -> dict[str, Any]:
    document["clientSystems"] = [s for s in document["clientSystems"] if s["id"] != name]
    return document


async def test_the_same_catalogue_again_changes_nothing(database: Database) -> None:
    assert await apply(database, seed())
    events = await count(database, AuditEvent)
    assert await apply(database, seed()) == []
    assert await count(database, CatalogueVersion) == 1
    assert await count(database, AuditEvent) == events


async def test_the_newest_version_is_in_force(database: Database) -> None:
    await apply(database, seed())
    document = seed()
    document["apis"][0]["name"] = "Noe annet"
    assert await apply(database, document) == [
        '~ api nhn:selvbetjening: name: "Selvbetjening" -> "Noe annet"'
    ]
    catalogue = await Catalogues(database.sessions).in_force()
    assert catalogue.apis[0].name == "Noe annet"


async def test_a_declared_client_comes_in_ready(database: Database) -> None:
    await apply(database, seed())
    key = ECKey.import_key(json.loads(SAMPLE.read_text(encoding="utf-8"))["privateJwk"])
    async with database.sessions() as db:
        client = await db.get_one(ClientConfiguration, CLIENT)
        keys = list(await db.scalars(select(ClientKey.thumbprint)))
        states = set(await db.scalars(select(ScopeAccess.state)))
        states |= set(await db.scalars(select(ApiAccess.state)))
        overview = await client_overview(db, CLIENT, now=NOW)
    assert (client.status, client.tenancy) == (ClientStatus.ACTIVE, "multi-tenant")
    assert keys == [key.thumbprint()]
    assert states == {AccessState.GRANTED}
    assert len(overview.scopes) == 4
    assert await wanted(database) == 1


async def test_a_declared_key_that_is_replaced_is_revoked(database: Database) -> None:
    await apply(database, seed())
    document = seed()
    new = ECKey.generate_key("P-256").as_dict(private=False)
    document["clients"][0]["publicJwks"] = [
        {name: value for name, value in new.items() if isinstance(value, str)}
    ]
    await apply(database, document)
    async with database.sessions() as db:
        keys = await db.scalars(select(ClientKey).order_by(ClientKey.created_at, ClientKey.state))
        assert [key.state for key in keys] == ["activating", "revoked"]
    assert await wanted(database) >= 2


async def test_the_issuer_is_told_when_a_client_system_has_changed(database: Database) -> None:
    await apply(database, seed())
    document = seed()
    [system] = [one for one in document["clientSystems"] if one["id"] == "fjord-databehandler"]
    system["name"] = "Et annet navn"
    await apply(database, document)
    assert await wanted(database) == 2


async def test_a_client_systems_keys_keep_it_in_the_catalogue(database: Database) -> None:
    await apply(database, seed())
    async with database.sessions() as db:
        text = await issue_api_key(db, client_system_id="velferd-vkp", label="x", now=NOW)
    with pytest.raises(CatalogueRefused, match="velferd-vkp cannot be left out: it has API keys"):
        await apply(database, without_system(seed(), "velferd-vkp"))
    async with database.sessions() as db:
        await revoke_api_key(db, text[: len("ok_12345678")], NOW)
    assert await apply(database, without_system(seed(), "velferd-vkp"))


async def test_a_client_keeps_its_system_and_scopes_until_it_is_closed(
    database: Database,
) -> None:
    await apply(database, seed())
    document = without_system(seed(), "fjord-databehandler")
    document["clients"] = []
    with pytest.raises(CatalogueRefused, match="it has clients in use"):
        await apply(database, document)
    async with database.sessions() as db:
        await change_status(db, CLIENT, ClientEvent.CLOSE, actor=OPERATOR, now=NOW)
    assert await apply(database, document)


async def test_a_client_is_blocked_unblocked_and_closed(database: Database) -> None:
    await apply(database, seed())
    for event, after in (
        (ClientEvent.BLOCK, ClientStatus.BLOCKED),
        (ClientEvent.UNBLOCK, ClientStatus.ACTIVE),
        (ClientEvent.CLOSE, ClientStatus.CLOSED),
    ):
        async with database.sessions() as db:
            await change_status(db, CLIENT, event, actor=OPERATOR, reason="x", now=NOW)
        async with database.sessions() as db:
            assert (await client_overview(db, CLIENT, now=NOW)).status == after
    assert await wanted(database) == 4
    async with database.sessions() as db:
        with pytest.raises(WrongState):
            await change_status(db, CLIENT, ClientEvent.UNBLOCK, actor=OPERATOR, now=NOW)
        with pytest.raises(NoSuchClient):
            await change_status(db, UUID(int=1), ClientEvent.BLOCK, actor=OPERATOR, now=NOW)


async def test_a_fixed_key_of_a_sandbox_is_registered_once(database: Database) -> None:
    for expected in (True, False):
        async with database.sessions() as db, db.begin():
            added = await register_api_key(
                db, "sandbox", client_system_id="fjord-epj", label="x", now=NOW
            )
        assert added is expected
