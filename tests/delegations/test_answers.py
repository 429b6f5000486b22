"""What an answer of Altinn's does to a record: two noes of two calls, and time that runs out."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from app.apis.catalogue import RightKind
from app.delegations.answers import (
    Answer,
    Found,
    RequestStatus,
    Source,
    Standing,
    after_answer,
    source_to_ask,
)
from app.delegations.rules import OPEN_REQUEST, State
from tests.examples import NOW

MINUTE = timedelta(minutes=1)
MASKINPORTEN, PARTIES = Source.MASKINPORTEN, Source.AUTHORIZED_PARTIES


def answer(found: Found, source: Source = MASKINPORTEN, **more: RequestStatus) -> Answer:
    return Answer(found=found, source=source, decision="x", **more)


def standing(state: State, **more: object) -> Standing:
    return Standing(state=state, since=NOW, **more)  # type: ignore[arg-type]


NO, YES = answer(Found.NOT_GIVEN), answer(Found.GIVEN)
SUSPECT = after_answer(standing(State.ACTIVE), NO, NOW)


def test_a_second_no_counts_when_another_call_says_it_ten_minutes_later() -> None:
    assert (SUSPECT.state, SUSPECT.first_no_at, SUSPECT.first_no_by) == (
        State.SUSPECT,
        NOW,
        MASKINPORTEN,
    )
    other = replace(NO, source=PARTIES)
    later = NOW + 10 * MINUTE
    assert after_answer(SUSPECT, other, later).state == State.REVOKED


@pytest.mark.parametrize(
    ("source", "later"),
    [
        (PARTIES, 10 * MINUTE - timedelta(seconds=1)),
        (MASKINPORTEN, 10 * MINUTE),
        (MASKINPORTEN, timedelta(days=3)),
    ],
)
@pytest.mark.parametrize("found", [Found.NOT_GIVEN, Found.NO_SUCH_PARTY])
def test_a_second_no_too_soon_or_of_the_same_call_changes_nothing(
    source: Source, later: timedelta, found: Found
) -> None:
    assert after_answer(SUSPECT, answer(found, source), NOW + later) == SUSPECT


@pytest.mark.parametrize("source", [MASKINPORTEN, PARTIES])
def test_a_yes_of_any_call_ends_the_doubt(source: Source) -> None:
    after = after_answer(SUSPECT, answer(Found.GIVEN, source), NOW + 20 * MINUTE)
    assert (after.state, after.first_no_at) == (State.ACTIVE, None)


def test_in_doubt_the_other_call_is_asked() -> None:
    schema, generic = RightKind.MASKINPORTEN_SCHEMA, RightKind.GENERIC_ACCESS
    assert source_to_ask(schema, standing(State.ACTIVE)) == MASKINPORTEN
    assert source_to_ask(generic, standing(State.ACTIVE)) == Source.PDP
    assert source_to_ask(schema, SUSPECT) == PARTIES
    assert source_to_ask(generic, replace(SUSPECT, first_no_by=Source.PDP)) == PARTIES
    assert source_to_ask(schema, replace(SUSPECT, first_no_by=PARTIES)) == MASKINPORTEN


def test_contradicting_answers_never_revoke() -> None:
    """One call says no and the other yes, for a week, asked in the way we ask."""
    record = standing(State.ACTIVE)
    for minutes in range(0, 7 * 24 * 60, 5):
        source = source_to_ask(RightKind.MASKINPORTEN_SCHEMA, record)
        found = Found.NOT_GIVEN if source == MASKINPORTEN else Found.GIVEN
        record = after_answer(record, answer(found, source), NOW + minutes * MINUTE)
        assert record.state in (State.ACTIVE, State.SUSPECT)


def test_an_unknown_party_blocks_a_record_that_was_never_active() -> None:
    unknown = answer(Found.NO_SUCH_PARTY)
    blocked = after_answer(standing(State.UNKNOWN), unknown, NOW)
    assert blocked.state == State.BLOCKED_ORGANIZATION
    assert after_answer(blocked, NO, NOW).state == State.MISSING
    assert after_answer(blocked, YES, NOW).state == State.ACTIVE
    # One no, whatever its kind, does not end what was given.
    assert after_answer(standing(State.ACTIVE), unknown, NOW).state == State.SUSPECT


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (RequestStatus.DRAFT, State.REQUEST_DRAFT),
        (RequestStatus.PENDING, State.REQUEST_PENDING),
        (RequestStatus.APPROVED, State.APPROVED_PROPAGATING),
        (RequestStatus.REJECTED, State.REQUEST_REJECTED),
        (RequestStatus.WITHDRAWN, State.REQUEST_WITHDRAWN),
    ],
)
def test_a_request_goes_as_altinn_says(status: RequestStatus, state: State) -> None:
    asked = standing(State.REQUEST_DRAFT, requested_at=NOW)
    assert after_answer(asked, replace(NO, request_status=status), NOW).state == state
    assert after_answer(asked, replace(YES, request_status=status), NOW).state == State.ACTIVE


def test_an_approval_that_is_not_seen_in_twelve_minutes_is_missing_and_flagged() -> None:
    approved = standing(State.APPROVED_PROPAGATING)
    assert after_answer(approved, NO, NOW + 11 * MINUTE) == approved
    missing = after_answer(approved, NO, NOW + 12 * MINUTE)
    assert (missing.state, missing.not_seen_after_approval) == (State.MISSING, True)
    assert not after_answer(missing, YES, NOW).not_seen_after_approval


@pytest.mark.parametrize("state", sorted(OPEN_REQUEST))
def test_a_request_expires_after_thirty_days_and_is_forgotten_after_a_week_more(
    state: State,
) -> None:
    asked = standing(state, requested_at=NOW)
    days = timedelta(days=1)
    assert after_answer(asked, NO, NOW + 29 * days) == asked
    expired = after_answer(asked, NO, NOW + 30 * days)
    assert expired.state == State.REQUEST_EXPIRED
    assert after_answer(expired, NO, NOW + 36 * days) == expired
    forgotten = after_answer(expired, NO, NOW + 37 * days)
    assert (forgotten.state, forgotten.not_seen_after_approval) == (State.MISSING, False)
