"""What a client can do now, and for how long."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.apis.catalogue import Tenancy
from app.approvals.rules import AccessState
from app.client_keys.rules import KeyState
from app.clients.rules import ClientStatus
from app.delegations.rules import State
from app.onboardings.facts import ClientSeen, Facts, KeySeen, RightRecord, ScopeSeen
from app.onboardings.usable import key_expires_at, usable_scopes
from tests.examples import NOW, ORGANIZATION
from tests.onboardings.examples import API, AROUND, READ, RIGHT, SUPPLIER

DAY = timedelta(days=1)
GRANTED, REVOKED = AccessState.GRANTED, AccessState.REVOKED


def a_key(state: KeyState = KeyState.ACTIVE, ends_at: datetime | None = NOW + DAY) -> KeySeen:
    return KeySeen("A" * 43, state, NOW - DAY, expires_at=ends_at)


def a_scope(scope: str, api: AccessState = GRANTED, own: AccessState = GRANTED) -> ScopeSeen:
    return ScopeSeen(scope, "nhn:msh", api, NOW, own, NOW, None)


def a_right(state: State, giver: str = ORGANIZATION) -> RightRecord:
    return RightRecord(RIGHT, giver, state, NOW)


CLIENT = ClientSeen(
    status=ClientStatus.ACTIVE,
    created_at=NOW,
    scopes=[a_scope(API), a_scope(READ)],  # the second needs no right
    rights=[a_right(State.ACTIVE)],
    keys=[a_key()],
    issuer_scopes=[READ, API],
)


def facts(organization: str = ORGANIZATION, **changes: Any) -> Facts:
    return Facts(
        client_id=UUID(int=1),
        organization_number=organization,
        organization_name=None,
        client_system_id="epj",
        client=replace(CLIENT, **changes),
    )


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, [API, READ]),
        ({"status": ClientStatus.BLOCKED}, []),
        ({"issuer_scopes": None}, []),
        ({"issuer_scopes": [READ]}, [READ]),
        ({"keys": []}, []),
        ({"keys": [a_key(KeyState.ACTIVATING)]}, []),
        ({"keys": [a_key(KeyState.RETIRED)]}, []),
        ({"keys": [a_key(ends_at=NOW)]}, []),
        ({"keys": [a_key(KeyState.ACTIVATING), a_key(KeyState.RETIRING)]}, [API, READ]),
        ({"rights": []}, [READ]),
        ({"rights": [a_right(State.MISSING)]}, [READ]),
        ({"rights": [a_right(State.SUSPECT)]}, [API, READ]),
        ({"rights": [a_right(State.ACTIVE, giver="310000027")]}, [READ]),
        ({"rights": [], "organization": SUPPLIER}, [API, READ]),
        ({"rights": [], "tenancy": Tenancy.MULTI}, [API, READ]),
        ({"scopes": [a_scope(API), a_scope(READ, own=REVOKED)]}, [API]),
        ({"scopes": [a_scope(API, api=REVOKED), a_scope(READ)]}, [READ]),
    ],
)
def test_what_is_granted_given_and_known_is_usable(
    changes: dict[str, Any], usable: list[str]
) -> None:
    assert usable_scopes(facts(**changes), AROUND) == usable


def test_without_a_client_or_its_system_nothing_is() -> None:
    assert usable_scopes(replace(facts(), client=None), AROUND) == []
    assert usable_scopes(replace(facts(), client_system_id="gone"), AROUND) == []


@pytest.mark.parametrize(
    ("keys", "ends"),
    [
        ([], None),
        ([a_key(), a_key(ends_at=NOW + 3 * DAY), a_key(ends_at=NOW + 2 * DAY)], NOW + 3 * DAY),
        ([a_key(), a_key(ends_at=None)], None),
        ([a_key(), a_key(KeyState.ACTIVATING, NOW + 3 * DAY)], NOW + DAY),
    ],
)
def test_a_client_works_as_long_as_the_last_of_its_keys(
    keys: list[KeySeen], ends: datetime | None
) -> None:
    assert key_expires_at(facts(keys=keys), NOW) == ends
    assert key_expires_at(replace(facts(), client=None), NOW) is None
