"""What rights mean for scopes: what is published, what is shown, and for whom a client acts."""

from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from app.apis.catalogue import (
    Catalogue,
    DeclaredClient,
    DeclaredDelegation,
    Delegator,
    Tenancy,
)
from app.approvals.rules import ReasonCode
from app.client_configurations.registration import registration_of
from app.clients.models import ClientConfiguration
from app.database import Database
from app.delegations.answers import Found
from app.delegations.following import follow
from app.delegations.models import Delegation
from app.delegations.rules import USABLE, State
from app.delegations.scopes import Holder, RightSeen, in_the_way, lets_act
from tests.approvals.examples import CLIENT_SCOPE, ask
from tests.delegations.examples import (
    RIGHT,
    SCOPE,
    SUPPLIER,
    SYSTEM,
    WITH_RIGHT,
    InstantAltinn,
    ask_all,
    followed_client,
)
from tests.examples import NOW, ORGANIZATION

HOLDER = Holder(Tenancy.SINGLE, ORGANIZATION, "FJORDBYEN LEGESENTER AS")
OTHERS = ["310000051", "310900060"]


def seen(state: State) -> list[RightSeen]:
    return [RightSeen(RIGHT.name, ORGANIZATION, SUPPLIER, state, False, False)]


@pytest.mark.parametrize("state", State)
def test_a_scope_is_shown_as_usable_exactly_in_the_usable_states(state: State) -> None:
    way = in_the_way(RIGHT.name, HOLDER, SYSTEM, WITH_RIGHT, seen(state))
    assert (way is None) == (state in USABLE)


def test_what_is_not_recorded_is_unknown() -> None:
    way = in_the_way(RIGHT.name, HOLDER, SYSTEM, WITH_RIGHT, [])
    assert way is not None
    assert way[0] == ReasonCode.DELEGATION_UNKNOWN
    assert "FJORDBYEN LEGESENTER AS (310000019)" in way[1].en
    assert "Fjord Systemer AS (310700029)" in way[1].en
    assert RIGHT.title.en in way[1].en


def test_a_scope_without_a_right_and_the_suppliers_own_client_need_none() -> None:
    assert in_the_way(None, HOLDER, SYSTEM, WITH_RIGHT, []) is None
    own = Holder(Tenancy.SINGLE, SUPPLIER, "Fjord Systemer AS")
    assert in_the_way(RIGHT.name, own, SYSTEM, WITH_RIGHT, []) is None


async def published(database: Database, client_id: UUID, catalogue: Catalogue) -> list[str]:
    async with database.sessions() as db:
        registration = await registration_of(db, client_id, catalogue)
    assert registration is not None
    return registration.scopes


async def test_a_scope_is_published_from_the_yes_to_the_second_no(database: Database) -> None:
    client_id = await followed_client(database, scopes=(CLIENT_SCOPE, "nhn:msh/open"))
    catalogue = replace(
        WITH_RIGHT,
        client_systems=[
            replace(
                SYSTEM,
                scopes=[
                    SYSTEM.scopes[0],
                    replace(SYSTEM.scopes[1], scope="nhn:msh/open"),
                ],
            )
        ],
    )
    async with database.sessions.begin() as db:
        client = await db.get_one(ClientConfiguration, client_id)
        await follow(db, client, catalogue, now=NOW)
    assert await published(database, client_id, catalogue) == [CLIENT_SCOPE]
    await ask_all(database, InstantAltinn(), NOW)
    assert await published(database, client_id, catalogue) == [CLIENT_SCOPE, "nhn:msh/open"]


def test_a_client_of_many_acts_for_those_that_have_given_every_right() -> None:
    active = {(RIGHT.name, OTHERS[0]): State.ACTIVE, (RIGHT.name, OTHERS[1]): State.MISSING}
    assert lets_act(OTHERS[0], SYSTEM, [SCOPE], active)
    assert not lets_act(OTHERS[1], SYSTEM, [SCOPE], active)
    assert not lets_act("310000078", SYSTEM, [SCOPE], active)
    assert lets_act("310000078", SYSTEM, [CLIENT_SCOPE], active)
    assert lets_act(SUPPLIER, SYSTEM, [SCOPE], {})


async def test_a_client_of_many_is_followed_for_each_of_them(database: Database) -> None:
    client_id = uuid4()
    declared = DeclaredClient(
        client_id=client_id,
        client_system=SYSTEM.id,
        organization_number=SUPPLIER,
        organization_name="Fjord Systemer AS",
        api_scopes=[CLIENT_SCOPE, SCOPE],
        public_jwks=[{}],
        delegations=[
            DeclaredDelegation(Delegator(number, f"NAME {number}"))
            for number in (*OTHERS, SUPPLIER)
        ],
    )
    catalogue = replace(WITH_RIGHT, clients=[declared])
    async with database.sessions.begin() as db:
        client = ClientConfiguration(
            client_id=client_id,
            client_system_id=SYSTEM.id,
            tenancy=Tenancy.MULTI,
            organization_number=SUPPLIER,
            organization_name="Fjord Systemer AS",
            redirect_uris=[],
            post_logout_redirect_uris=[],
            child_organization_numbers=[],
            created_at=NOW,
        )
        db.add(client)
        await db.flush()
        await ask(db, client_id, [CLIENT_SCOPE, SCOPE])
        await follow(db, client, catalogue, now=NOW)

    class OnlyOne(InstantAltinn):
        async def look_up(self, question, source):  # type: ignore[no-untyped-def]
            self.found = Found.GIVEN if question.giver == OTHERS[0] else Found.NOT_GIVEN
            return await super().look_up(question, source)

    await ask_all(database, OnlyOne(), NOW)
    async with database.sessions() as db:
        rows = await db.execute(select(Delegation.giver, Delegation.state))
        states = {giver: State(state) for giver, state in rows}
        registration = await registration_of(db, client_id, catalogue)
    assert states == {OTHERS[0]: State.ACTIVE, OTHERS[1]: State.MISSING}
    assert registration is not None
    # Nothing but the automatic scope is granted, and that one needs no right.
    assert registration.delegators == [*OTHERS, SUPPLIER]
