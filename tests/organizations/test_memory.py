from datetime import timedelta

import pytest

from app.organizations.memory import fallen_back, remembered
from app.organizations.register import RegisterEntry, Verdict
from tests.examples import NOW

HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_main_unit_is_remembered_for_a_day_and_a_refusal_for_an_hour(verdict: Verdict) -> None:
    entry = RegisterEntry(verdict)
    lasts = DAY if verdict == Verdict.MAIN_UNIT else HOUR
    for age in (timedelta(0), lasts - MOMENT):
        found = remembered(entry, NOW - age, NOW)
        assert found is not None
        assert not found.stale
    assert remembered(entry, NOW - lasts, NOW) is None


def test_an_answer_from_the_future_is_not_believed() -> None:
    assert remembered(RegisterEntry(Verdict.MAIN_UNIT), NOW + MOMENT, NOW) is None


@pytest.mark.parametrize("verdict", [each for each in Verdict if each != Verdict.UNKNOWN_NUMBER])
def test_an_old_answer_counts_for_a_week_and_is_flagged(verdict: Verdict) -> None:
    entry = RegisterEntry(verdict)
    found = fallen_back(entry, NOW - 7 * DAY + MOMENT, NOW)
    assert found is not None
    assert found.stale
    assert fallen_back(entry, NOW - 7 * DAY, NOW) is None


def test_that_a_number_was_unknown_does_not_outlive_its_hour() -> None:
    assert fallen_back(RegisterEntry(Verdict.UNKNOWN_NUMBER), NOW - HOUR, NOW) is None
