"""When a key has to be renewed, and what that holds up: by what is known of a client's keys."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.apis.rules import read_catalogue
from app.client_keys.rules import KeyState, renewal_window
from app.clients.rules import ClientStatus
from app.onboardings.client_steps import steps_of_client
from app.onboardings.facts import Around, ClientSeen, Facts, KeySeen
from app.onboardings.rules import Known, Outcome, Step, StepCode, StepStatus, outcome_of, state_of
from app.settings import Environment
from tests.examples import NOW, ORGANIZATION

CATALOGUE = Path(__file__).parents[2] / "app" / "sandbox" / "catalogue.json"
YEAR = timedelta(days=365)
FIRST, SECOND = "A" * 43, "B" * 43  # hardly spread: their windows begin with the last third
WINDOW = renewal_window(FIRST, NOW, NOW + YEAR)
assert WINDOW is not None
BEGINS = WINDOW.begins_at

AROUND = Around(
    catalogue=read_catalogue(CATALOGUE.read_bytes()),
    environment=Environment.TEST,
    client_scope="nhn:selvbetjening/client",
    base_url="https://onboarding.example",
    altinn_pages=None,
    operator="Prøvedrift AS",
    operator_contact=None,
    usual_seconds={},
    now=NOW,
)


def a_key(
    thumbprint: str = FIRST,
    state: KeyState = KeyState.ACTIVE,
    *,
    created_at: datetime = NOW,
    expires_at: datetime | None = NOW + YEAR,
    retires_at: datetime | None = None,
    leaked_at: datetime | None = None,
) -> KeySeen:
    return KeySeen(
        thumbprint,
        state,
        created_at,
        active_at=None if state is KeyState.ACTIVATING else created_at,
        expires_at=expires_at,
        retires_at=retires_at,
        leaked_at=leaked_at,
    )


def renewals(keys: list[KeySeen], now: datetime) -> list[Step]:
    client = ClientSeen(status=ClientStatus.ACTIVE, created_at=NOW, keys=keys)
    facts = Facts(
        client_id=UUID(int=1),
        organization_number=ORGANIZATION,
        organization_name=None,
        client_system_id="fjord-epj",
        client=client,
    )
    around = Around(
        **{name: getattr(AROUND, name) for name in AROUND.__struct_fields__} | {"now": now}
    )
    return [
        step for step in steps_of_client(facts, client, around) if step.code is StepCode.RENEW_KEY
    ]


MOMENT = timedelta(seconds=1)
LATER = NOW + timedelta(days=1)
LEAKED = a_key(leaked_at=LATER)
ENDED = NOW + timedelta(days=30)
NONE = ("", Known.NO_KEY)


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        pytest.param([a_key()], NOW, [], id="a fresh key"),
        pytest.param([a_key()], BEGINS - MOMENT, [], id="just before its window"),
        pytest.param([a_key()], BEGINS, [(FIRST, Known.KEY_IN_WINDOW)], id="in its window"),
        pytest.param([a_key()], NOW + YEAR - MOMENT, [(FIRST, Known.KEY_IN_WINDOW)], id="late"),
        pytest.param([a_key()], NOW + YEAR, [NONE], id="over, though nobody wrote it down yet"),
        pytest.param([a_key(expires_at=None)], NOW + 9 * YEAR, [], id="a key without an end"),
        pytest.param(
            [a_key(), a_key(SECOND, created_at=BEGINS, expires_at=BEGINS + YEAR)],
            NOW + YEAR - MOMENT,
            [],
            id="renewed already",
        ),
        pytest.param(
            [a_key(), a_key(SECOND, KeyState.ACTIVATING, created_at=BEGINS, expires_at=None)],
            BEGINS,
            [],
            id="renewed, and the issuer is yet to be told",
        ),
        pytest.param(
            [a_key(state=KeyState.RETIRING, retires_at=NOW + timedelta(days=3))],
            NOW + timedelta(days=2, hours=23),
            [(FIRST, Known.KEY_IN_WINDOW)],
            id="the only one goes out of use",
        ),
        pytest.param([], NOW, [NONE], id="no key at all"),
        *(
            pytest.param([a_key(state=state, expires_at=ENDED)], LATER, [NONE], id=f"one {state}")
            for state in (KeyState.RETIRED, KeyState.REVOKED, KeyState.EXPIRED)
        ),
        pytest.param([LEAKED], LATER, [(FIRST, Known.KEY_LEAKED)], id="leaked"),
        pytest.param(
            [LEAKED, a_key(SECOND)], LATER, [(FIRST, Known.KEY_LEAKED)], id="leaked, not retired"
        ),
        pytest.param(
            [LEAKED, a_key(SECOND, leaked_at=LATER)],
            LATER,
            [(FIRST, Known.KEY_LEAKED), (SECOND, Known.KEY_LEAKED)],
            id="two have leaked",
        ),
        pytest.param(
            [LEAKED, a_key(SECOND)],
            BEGINS + timedelta(days=7),
            [(FIRST, Known.KEY_LEAKED), (SECOND, Known.KEY_IN_WINDOW)],
            id="one has leaked and the other ends soon",
        ),
        pytest.param(
            [
                a_key(
                    state=KeyState.RETIRING,
                    retires_at=LATER + timedelta(days=1),
                    leaked_at=LATER,
                ),
                a_key(SECOND),
            ],
            LATER,
            [(FIRST, Known.KEY_LEAKED)],
            id="leaked, and its grace lasts",
        ),
        pytest.param(
            [a_key(state=KeyState.RETIRED, leaked_at=LATER), a_key(SECOND)],
            LATER,
            [],
            id="leaked and retired",
        ),
    ],
)
def test_a_key_is_renewed_when_it_has_to_be(
    keys: list[KeySeen], now: datetime, expected: list[tuple[str, Known]]
) -> None:
    steps = renewals(keys, now)
    assert [(step.about, step.known) for step in steps] == expected
    for step in steps:
        assert step.shape.status is StepStatus.CURRENT  # the supplier always can
        assert step.shape.blocking == (step.known is not Known.KEY_IN_WINDOW)
        assert step.action_url is None  # a program does it
        assert step.since <= now
        assert step.completed_at is None


@pytest.mark.parametrize(
    ("keys", "now", "outcome", "state"),
    [
        ([a_key()], BEGINS, Outcome.READY, "ready"),
        ([LEAKED, a_key(SECOND)], LATER, Outcome.PENDING, "waitingForKey"),
        ([], NOW, Outcome.PENDING, "waitingForKey"),
    ],
)
def test_a_key_that_works_holds_up_nothing_and_one_that_does_not_holds_up_all(
    keys: list[KeySeen], now: datetime, outcome: Outcome, state: str
) -> None:
    steps = renewals(keys, now)
    found = outcome_of(steps, usable=["nhn:selvbetjening/client"])
    assert (found, state_of(steps, found)) == (outcome, state)


def test_the_end_of_the_last_key_is_since_when_there_is_none() -> None:
    """Of one that was revoked, or retired early, its later end says nothing."""
    ended = [
        a_key(expires_at=NOW + MOMENT),
        a_key(SECOND, KeyState.RETIRED, retires_at=ENDED),
        a_key(SECOND, KeyState.REVOKED),
    ]
    [step] = renewals(ended, LATER)
    assert (step.since, step.id) == (NOW + MOMENT, "renewKey")
    [step] = renewals(ended, ENDED)
    assert step.since == ENDED
