"""What the token issuer has to know of a client."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import (
    Catalogue,
    DeclaredClient,
    DeclaredDelegation,
    Delegator,
    RedirectUriRule,
    ServiceTerms,
    Tenancy,
)
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.client_configurations.registration import registration_of
from app.client_keys.rules import LIVE, KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Database
from app.publications.token_issuer import Registration
from tests.approvals.examples import CLIENT_SCOPE, ask, new_client
from tests.examples import NOW, ORGANIZATION
from tests.publications.examples import SYSTEM, WITH_SYSTEM, new_key

DAY = timedelta(days=1)
SCOPES = [CLIENT_SCOPE, "nhn:msh/api", "nhn:msh/open"]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[AsyncSession]:
    database = Database(database_url)
    async with database.sessions.begin() as db:
        yield db
    await database.engine.dispose()


async def registration(
    db: AsyncSession, client_id: UUID, catalogue: Catalogue = WITH_SYSTEM
) -> Registration:
    await db.flush()
    composed = await registration_of(db, client_id, catalogue)
    assert composed is not None
    return composed


async def test_only_scopes_that_are_granted_are_told_in_the_order_asked_for(
    db: AsyncSession,
) -> None:
    client_id = await new_client(db)
    await ask(db, client_id, SCOPES[::-1])
    assert (await registration(db, client_id)).scopes == ["nhn:msh/open", CLIENT_SCOPE]


@pytest.mark.parametrize("state", [state for state in AccessState if state != AccessState.GRANTED])
async def test_a_scope_is_told_while_both_it_and_its_api_are_granted(
    db: AsyncSession, state: AccessState
) -> None:
    client_id = await new_client(db)
    await ask(db, client_id, SCOPES)
    api = await db.get_one(ApiAccess, (client_id, "nhn:msh"))
    api.state = state
    assert (await registration(db, client_id)).scopes == [CLIENT_SCOPE]
    api.state = AccessState.GRANTED
    scope = await db.get_one(ScopeAccess, (client_id, "nhn:msh/open"))
    scope.state = state
    assert (await registration(db, client_id)).scopes == [CLIENT_SCOPE]


async def test_a_dropped_scope_is_not_told_even_if_it_is_remembered(db: AsyncSession) -> None:
    client_id = await new_client(db)
    await ask(db, client_id, SCOPES)
    scope = await db.get_one(ScopeAccess, (client_id, "nhn:msh/open"))
    scope.position = None
    assert (await registration(db, client_id)).scopes == [CLIENT_SCOPE]


async def test_claims_are_told_with_the_value_that_is_approved(db: AsyncSession) -> None:
    client_id = await new_client(db)
    await ask(db, client_id, SCOPES, [("herid", "1")])
    assert (await registration(db, client_id)).client_claims == {}
    [claim] = await db.scalars(select(ClaimValue))
    claim.active_value, claim.pending_value = "1", "2"
    assert (await registration(db, client_id)).client_claims == {"herid": "1"}


async def test_live_keys_are_told_with_their_earliest_end(db: AsyncSession) -> None:
    client_id = await new_client(db)
    for state in KeyState:
        key = new_key(client_id, NOW + 2 * DAY)
        key.state, key.retires_at = state, NOW + DAY
        db.add(key)
    db.add(new_key(client_id))
    told = (await registration(db, client_id)).keys
    assert len(told) == len(LIVE) + 1
    ends = sorted((key.ends_at for key in told), key=str)
    assert ends == [NOW + DAY, NOW + 2 * DAY, NOW + 2 * DAY, None]


async def test_a_key_of_another_client_is_not_told(db: AsyncSession) -> None:
    client_id, other = await new_client(db), await new_client(db)
    db.add(new_key(other))
    assert (await registration(db, client_id)).keys == []


async def test_redirect_addresses_are_the_systems_or_the_clients_own(db: AsyncSession) -> None:
    client_id = await new_client(db)
    client = await db.get_one(ClientConfiguration, client_id)
    client.redirect_uris = ["http://localhost/own"]
    assert (await registration(db, client_id)).redirect_uris == SYSTEM.shared_redirect_uris
    system = replace(SYSTEM, redirect_uri_rule=RedirectUriRule.PER_CLIENT)
    own = replace(WITH_SYSTEM, client_systems=[system])
    assert (await registration(db, client_id, own)).redirect_uris == ["http://localhost/own"]


async def test_a_blocked_client_has_neither_keys_nor_scopes(db: AsyncSession) -> None:
    client_id = await new_client(db)
    await ask(db, client_id, SCOPES)
    db.add(new_key(client_id))
    (await db.get_one(ClientConfiguration, client_id)).status = ClientStatus.BLOCKED
    told = await registration(db, client_id)
    assert (told.blocked, told.keys, told.scopes) == (True, [], [])


async def test_a_closed_client_is_to_be_forgotten(db: AsyncSession) -> None:
    client_id = await new_client(db)
    (await db.get_one(ClientConfiguration, client_id)).status = ClientStatus.CLOSED
    await db.flush()
    assert await registration_of(db, client_id, WITH_SYSTEM) is None


@pytest.mark.parametrize("tenancy", list(Tenancy))
async def test_delegators_and_unsigned_terms_are_told_of_a_multi_tenant_client(
    db: AsyncSession, tenancy: Tenancy
) -> None:
    client_id = await new_client(db)
    (await db.get_one(ClientConfiguration, client_id)).tenancy = tenancy
    unsigned = ServiceTerms("https://t", "Terms", False, ["nhn:msh/api"])
    signed = ServiceTerms("https://t", "Terms", True, ["nhn:msh/open"])
    declared = DeclaredClient(
        client_id=client_id,
        client_system="epj",
        organization_number=ORGANIZATION,
        organization_name="Legekontoret",
        api_scopes=[CLIENT_SCOPE],
        public_jwks=[{}],
        delegations=[
            DeclaredDelegation(Delegator("310000027", "A"), [unsigned, signed]),
            DeclaredDelegation(Delegator("310000035", "B"), [signed]),
        ],
    )
    catalogue = replace(WITH_SYSTEM, clients=[declared])
    told = await registration(db, client_id, catalogue)
    if tenancy == Tenancy.SINGLE:
        assert (told.delegators, told.unsigned_scopes) == ([], {})
    else:
        assert told.delegators == ["310000027", "310000035"]
        assert told.unsigned_scopes == {"310000027": ["nhn:msh/api"]}
