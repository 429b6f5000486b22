from datetime import timedelta

import pytest

from app.adapters.token_issuer import WITHIN
from app.publications.rules import CALL_WITHIN, LEASE, LONGEST_WAIT, wait_after


def test_the_wait_doubles_up_to_five_minutes() -> None:
    waits = [wait_after(attempts, 1) for attempts in (1, 2, 3, 4)]
    assert waits == [timedelta(seconds=seconds) for seconds in (0.2, 0.4, 0.8, 1.6)]
    assert wait_after(12, 1) == wait_after(10_000, 1) == LONGEST_WAIT == timedelta(minutes=5)


@pytest.mark.parametrize("attempts", [1, 5, 50])
def test_chance_takes_no_more_than_half(attempts: int) -> None:
    assert wait_after(attempts, 0) == wait_after(attempts, 1) / 2


def test_a_lease_outlives_the_longest_publication() -> None:
    # Metadata, one method and the other one.
    assert timedelta(seconds=3 * WITHIN) < CALL_WITHIN < LEASE
