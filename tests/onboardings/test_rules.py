"""The table of steps: whole, in words, and in step with what others say of the same."""

import pytest

from app.approvals.reasons import REASONS as APPROVAL_REASONS
from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit
from app.delegations.reasons import REASONS as RIGHT_REASONS
from app.delegations.rules import AWAITING, HAS_LINK, REASON_CODES, Actor, State
from app.onboardings.rules import (
    CONFIRMATION_STATES,
    PACE,
    STATES,
    TABLE,
    Confirmation,
    StepCode,
    StepStatus,
    poll_after,
)
from app.onboardings.words import TEXTS
from app.web.languages import Language

OURS = (Actor.API_OWNER, Actor.ALTINN, Actor.PLATFORM)


@pytest.mark.parametrize("state", sorted(set(State) - {State.NOT_REQUIRED}))
def test_a_right_waits_for_whom_the_delegation_waits_for(state: State) -> None:
    shape = TABLE[StepCode.DELEGATE_RIGHT, state]
    assert AWAITING[state] in (shape.actor, None)
    # Where there is something to press, somebody can be reached to press it.
    assert (state in HAS_LINK) == (shape.status is StepStatus.CURRENT)


@pytest.mark.parametrize(("code", "known"), TABLE)
def test_who_cannot_be_reached_has_nothing_to_press(code: StepCode, known: str) -> None:
    shape = TABLE[code, known]  # type: ignore[index]  # any enumeration
    if shape.actor in OURS:
        assert shape.status is not StepStatus.CURRENT


def test_every_way_to_be_confirmed_or_not_has_its_line() -> None:
    assert {known for code, known in TABLE if code is StepCode.CONFIRM_CLIENT} == set(Confirmation)
    assert {visit.value for visit in LastVisit} < {each.value for each in Confirmation}
    by_steps_of_their_own = {DraftStatus.AWAITING_ACTIVATION, DraftStatus.AWAITING_EXCHANGE}
    for status in set(DraftStatus) - by_steps_of_their_own - {DraftStatus.PENDING}:
        assert Confirmation(status.value)


@pytest.mark.parametrize(("code", "known"), TABLE)
def test_every_line_of_the_table_is_said_in_every_language(code: StepCode, known: str) -> None:
    texts = TEXTS[code]
    told = texts.help.get(known) or _told_elsewhere(code, known)
    assert told is not None
    for text in (texts.title, told):
        for language in Language:
            assert getattr(text, language).strip()


def _told_elsewhere(code: StepCode, known: str) -> object:
    if code is StepCode.DELEGATE_RIGHT:
        reason = REASON_CODES[State(known)]
        return RIGHT_REASONS.get(reason) if reason else None
    return next((text for reason, text in APPROVAL_REASONS.items() if reason == known), None)


def test_no_text_is_left_over() -> None:
    lines = {(code, str(known)) for code, known in TABLE}
    lines |= {(StepCode.CONFIRM_CLIENT, str(reason)) for reason in DeclineReason}
    assert {(code, known) for code, texts in TEXTS.items() for known in texts.help} <= lines


@pytest.mark.parametrize("reason", DeclineReason)
def test_why_somebody_said_no_is_told(reason: DeclineReason) -> None:
    assert reason in TEXTS[StepCode.CONFIRM_CLIENT].help


def test_every_step_has_a_state_and_a_pace() -> None:
    assert set(STATES) == set(StepCode)
    assert set(StepCode) - set(PACE) == {StepCode.REPLACE_CLIENT}  # which is over
    assert len(set(STATES.values()) & set(CONFIRMATION_STATES.values())) == 0


@pytest.mark.parametrize(("scale", "seconds"), [(1.0, 3_600), (100.0, 36), (1e6, 1)])
def test_the_pace_is_in_the_readers_own_time_and_never_faster_than_a_second(
    scale: float, seconds: int
) -> None:
    assert poll_after([], scale) == seconds
