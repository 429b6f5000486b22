"""The table of states and events, and what stands beside it."""

from itertools import product

import pytest

from app.apis.catalogue import Texts
from app.approvals.rules import ReasonCode
from app.delegations.reasons import REASONS, STEPS, delegation_reason, filled
from app.delegations.rules import (
    AWAITING,
    HAS_LINK,
    REASON_CODES,
    TABLE,
    TRANSITIONS,
    USABLE,
    Actor,
    Event,
    State,
    reason_code,
)

PAIRS = list(product(State, Event))
REQUESTS = [State.REQUEST_DRAFT, State.REQUEST_PENDING]
OVER = [State.REQUEST_REJECTED, State.REQUEST_WITHDRAWN, State.REQUEST_EXPIRED]
RIGHT = Texts(nb="Retten", nn="Retten nn", en="The right")

# Everything that moves, as ALTINN.md section 10 and the settled questions have it: written a
# second time, event by event where the table goes state by state.
MOVES: dict[tuple[State, Event], State] = {
    **{(state, Event.SEEN): State.ACTIVE for state in State if state != State.NOT_REQUIRED},
    **{(state, Event.NOT_NEEDED): State.NOT_REQUIRED for state in State},
    (State.UNKNOWN, Event.NOT_SEEN): State.MISSING,
    (State.ACTIVE, Event.NOT_SEEN): State.SUSPECT,
    (State.SUSPECT, Event.NOT_SEEN): State.REVOKED,
    **{
        (state, event): then
        for state in (State.UNKNOWN, State.MISSING, State.REVOKED, *OVER)
        for event, then in (
            (Event.REQUESTED, State.REQUEST_DRAFT),
            (Event.REQUEST_PENDING, State.REQUEST_PENDING),
            (Event.APPROVED, State.APPROVED_PROPAGATING),
        )
    },
    (State.REQUEST_DRAFT, Event.REQUEST_PENDING): State.REQUEST_PENDING,
    **{
        (state, event): then
        for state in REQUESTS
        for event, then in (
            (Event.APPROVED, State.APPROVED_PROPAGATING),
            (Event.REFUSED, State.REQUEST_REJECTED),
            (Event.WITHDRAWN, State.REQUEST_WITHDRAWN),
            (Event.LAPSED, State.REQUEST_EXPIRED),
        )
    },
    **{(state, Event.LAPSED): State.MISSING for state in (*OVER, State.APPROVED_PROPAGATING)},
    **{
        (state, Event.ORGANIZATION_BLOCKED): State.BLOCKED_ORGANIZATION
        for state in State
        if state
        not in (
            State.NOT_REQUIRED,
            State.BLOCKED_ORGANIZATION,
            State.ACTIVE,
            State.SUSPECT,
            State.REVOKED_SOURCE,
        )
    },
    (State.ACTIVE, Event.ORGANIZATION_BLOCKED): State.REVOKED_SOURCE,
    (State.SUSPECT, Event.ORGANIZATION_BLOCKED): State.REVOKED_SOURCE,
    (State.BLOCKED_ORGANIZATION, Event.ORGANIZATION_FREE): State.UNKNOWN,
    (State.REVOKED_SOURCE, Event.ORGANIZATION_FREE): State.UNKNOWN,
}


def test_every_pair_has_its_row() -> None:
    assert set(TRANSITIONS) == set(PAIRS)
    assert list(TABLE) != []
    assert {len(row) for row in TABLE.values()} == {len(Event)}


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_a_pair_leads_where_the_pages_say(state: State, event: Event) -> None:
    assert TRANSITIONS[state, event] == MOVES.get((state, event), state)


@pytest.mark.parametrize("state", State)
def test_a_failure_changes_nothing(state: State) -> None:
    assert TRANSITIONS[state, Event.FAILED] == state


@pytest.mark.parametrize("state", State)
def test_one_no_takes_no_right_away(state: State) -> None:
    after = TRANSITIONS[state, Event.NOT_SEEN]
    if state == State.ACTIVE:
        assert after in USABLE
    elif state != State.SUSPECT:
        assert (state in USABLE) == (after in USABLE)


def test_only_a_yes_makes_a_right_usable() -> None:
    for (state, event), after in TRANSITIONS.items():
        if after == State.ACTIVE and state not in (State.ACTIVE, State.SUSPECT):
            assert event == Event.SEEN


def test_every_state_says_who_is_awaited_and_why() -> None:
    assert AWAITING.keys() == REASON_CODES.keys() == set(State)
    for state in State:
        assert (AWAITING[state] is None) == (reason_code(state) is None)
    # A link is of no use where nobody need act.
    assert not any(AWAITING[state] in (Actor.ALTINN, Actor.PLATFORM, None) for state in HAS_LINK)


def test_what_is_not_known_is_never_called_missing() -> None:
    missing = [state for state in State if reason_code(state) == ReasonCode.DELEGATION_MISSING]
    assert missing == [State.MISSING]
    flagged = reason_code(State.MISSING, not_seen_after_approval=True)
    assert flagged == ReasonCode.DELEGATION_NOT_SEEN


@pytest.mark.parametrize("code", [code for code in ReasonCode if code.is_of_delegation])
def test_a_reason_names_the_right_the_giver_and_the_receiver(code: ReasonCode) -> None:
    texts = delegation_reason(code, right=RIGHT, giver="GIVER (1)", receiver="RECEIVER (2)")
    for text, title in ((texts.nb, RIGHT.nb), (texts.nn, RIGHT.nn), (texts.en, RIGHT.en)):
        assert "GIVER (1)" in text
        assert "RECEIVER (2)" in text
        assert title in text
        assert "{" not in text


def test_every_reason_has_its_words() -> None:
    assert REASONS.keys() == {code for code in ReasonCode if code.is_of_delegation}
    steps = filled(STEPS, right=RIGHT, giver="GIVER", receiver="RECEIVER")
    assert "GIVER" in steps.nn
