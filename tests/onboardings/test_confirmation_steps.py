"""The steps before there is a client: how far the confirmation is."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.apis.catalogue import Activation
from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit
from app.onboardings.facts import DraftSeen
from app.onboardings.rules import (
    Confirmation,
    Known,
    Outcome,
    StepCode,
    ended_at,
    outcome_of,
    state_of,
)
from app.settings import Environment
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE
from tests.examples import NOW
from tests.onboardings.examples import (
    API,
    AROUND,
    HOUR,
    ID,
    MINUTE,
    OPEN,
    RIGHT,
    SECOND,
    SUPPLIER,
    SYSTEM,
    a_draft,
    of,
    steps,
)

PAGE = f"https://onboarding.example/confirm-client/{ID}"
LAPSED: dict[str, Any] = {"activation_until": NOW - MINUTE, "decided_at": NOW - 20 * MINUTE}
OPENED: dict[str, Any] = {"last_visit": LastVisit.OPENED}


@pytest.mark.parametrize(
    ("draft", "known", "since", "link"),
    [
        (a_draft(), Confirmation.NOT_OPENED, NOW - HOUR, PAGE),
        (
            a_draft(**OPENED, last_visit_at=NOW - MINUTE),
            Confirmation.OPENED,
            NOW - MINUTE,
            PAGE,
        ),
        (
            a_draft(last_visit=LastVisit.PASSED_ON, last_visit_at=NOW - MINUTE),
            Confirmation.PASSED_ON,
            NOW - MINUTE,
            f"{PAGE}?shared=1",
        ),
        (a_draft(**LAPSED), Confirmation.LAPSED, NOW - MINUTE, PAGE),
        (
            a_draft(DraftStatus.AWAITING_ACTIVATION, **LAPSED),
            Confirmation.LAPSED,
            NOW - MINUTE,
            PAGE,
        ),
        (
            a_draft(**LAPSED, **OPENED, last_visit_at=NOW - 2 * MINUTE),
            Confirmation.LAPSED,
            NOW - MINUTE,
            PAGE,
        ),
        (
            a_draft(**LAPSED, **OPENED, last_visit_at=NOW - SECOND),
            Confirmation.OPENED,
            NOW - 20 * MINUTE,
            PAGE,
        ),
        (a_draft(expires_at=NOW), Confirmation.EXPIRED, NOW, None),
        (a_draft(DraftStatus.EXPIRED, expires_at=NOW), Confirmation.EXPIRED, NOW, None),
        (
            a_draft(DraftStatus.VERIFYING_RIGHT, decided_at=NOW - MINUTE),
            Confirmation.VERIFYING_RIGHT,
            NOW - MINUTE,
            None,
        ),
        (
            a_draft(DraftStatus.CONFIRMED, decided_at=NOW - MINUTE),
            Confirmation.CONFIRMED,
            NOW - MINUTE,
            None,
        ),
        (a_draft(DraftStatus.DECLINED), Confirmation.DECLINED, NOW - HOUR, None),
    ],
)
def test_how_far_the_confirmation_is(
    draft: DraftSeen, known: Confirmation, since: Any, link: str | None
) -> None:
    [step] = of(StepCode.CONFIRM_CLIENT, steps(draft))
    assert (step.known, step.since, step.action_url) == (known, since, link)
    assert step.action_expires_at == (draft.expires_at if link else None)
    is_done = known is Confirmation.CONFIRMED
    assert (step.reason_code, step.completed_at) == ((None, since) if is_done else (known, None))
    assert step.reason_detail is None


def test_why_somebody_said_no_is_told_of_a_no_alone() -> None:
    declined = a_draft(DraftStatus.DECLINED, decline_reason=DeclineReason.NOT_ORDERED)
    [step] = of(StepCode.CONFIRM_CLIENT, steps(declined))
    assert step.reason_detail == "notOrdered"
    confirmed = replace(declined, status=DraftStatus.CONFIRMED)
    [step] = of(StepCode.CONFIRM_CLIENT, steps(confirmed))
    assert step.reason_detail is None


def test_what_will_be_asked_is_said_before() -> None:
    draft = a_draft(scopes=[CLIENT_SCOPE, API, OPEN], claims=["herid"])
    coming = [(step.code, step.about, step.affects) for step in steps(draft)[1:]]
    assert coming == [
        (StepCode.DELEGATE_RIGHT, RIGHT, [API, OPEN]),
        (StepCode.APPROVE_SCOPE, API, [API]),
        (StepCode.APPROVE_CLAIM, "herid", [API, OPEN]),
        (StepCode.PUBLISH_CLIENT, "", [CLIENT_SCOPE, API, OPEN]),
    ]
    own = steps(draft, organization=SUPPLIER)
    assert not of(StepCode.DELEGATE_RIGHT, own)
    assert len(own) == len(coming)  # all the rest, and the confirmation
    production = steps(draft, around=replace(AROUND, environment=Environment.PRODUCTION))
    assert [step.about for step in of(StepCode.APPROVE_SCOPE, production)] == [API, OPEN]
    assert len(steps(replace(draft, status=DraftStatus.DECLINED))) == 1


UNTIL = NOW + 10 * MINUTE


@pytest.mark.parametrize(
    ("draft", "known", "since", "until"),
    [
        (a_draft(), Known.UNCONFIRMED, NOW - HOUR, None),
        (
            a_draft(DraftStatus.AWAITING_ACTIVATION, activation_until=UNTIL, decided_at=NOW),
            Known.NOT_ACTIVATED,
            NOW,
            UNTIL,
        ),
        (
            a_draft(DraftStatus.VERIFYING_RIGHT, activation_until=UNTIL, decided_at=NOW),
            Known.NOT_ACTIVATED,
            NOW,
            UNTIL,
        ),
        (
            a_draft(DraftStatus.CONFIRMED, activation_until=UNTIL, activated_at=NOW),
            Known.ACTIVATED,
            NOW,
            None,
        ),
    ],
)
def test_the_program_has_to_show_that_the_person_came_back(
    draft: DraftSeen, known: Known, since: Any, until: Any
) -> None:
    assert not of(StepCode.ACTIVATE_CLIENT, steps(draft)) or draft.activated_at
    asking = [replace(SYSTEM, activation=Activation.REDIRECT)]
    around = replace(AROUND, catalogue=replace(CATALOGUE, client_systems=asking))
    for found in (steps(draft, around=around), steps(replace(draft, activation=True))):
        [step] = of(StepCode.ACTIVATE_CLIENT, found)
        assert (step.known, step.since, step.action_expires_at) == (known, since, until)


@pytest.mark.parametrize("status", [DraftStatus.DECLINED, DraftStatus.EXPIRED])
def test_what_is_over_is_not_activated(status: DraftStatus) -> None:
    assert not of(StepCode.ACTIVATE_CLIENT, steps(a_draft(status, activation=True)))


def test_what_was_confirmed_before_its_system_asked_for_it_is_not_activated() -> None:
    confirmed = a_draft(DraftStatus.CONFIRMED, activation=True, decided_at=NOW)
    assert not of(StepCode.ACTIVATE_CLIENT, steps(confirmed))


@pytest.mark.parametrize(
    ("draft", "outcome", "state"),
    [
        (a_draft(), Outcome.PENDING, "waitingForConfirmation"),
        (a_draft(DraftStatus.VERIFYING_RIGHT), Outcome.PENDING, "verifyingRight"),
        (a_draft(DraftStatus.DECLINED), Outcome.FAILED, "rejected"),
        (a_draft(DraftStatus.EXPIRED), Outcome.FAILED, "expired"),
    ],
)
def test_what_became_of_a_draft_in_a_word(draft: DraftSeen, outcome: Outcome, state: str) -> None:
    found = steps(draft)
    assert (outcome_of(found, [CLIENT_SCOPE]), state_of(found, outcome)) == (outcome, state)
    assert (ended_at(found, outcome) is None) == (outcome is Outcome.PENDING)


def test_the_end_is_when_the_last_step_was_done() -> None:
    done, later = steps(a_draft(DraftStatus.DECLINED)), steps(a_draft(expires_at=NOW))
    assert ended_at([*later, *done], Outcome.FAILED) == NOW
    assert ended_at([], Outcome.READY) is None
