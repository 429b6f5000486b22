"""When a delegation is asked about again: the whole plan as tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from app.delegations.answers import SETTLED_AFTER, Standing
from app.delegations.rules import OF_ORGANIZATION, OPEN_REQUEST, State

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# How long a read of the client counts as somebody waiting, and how often Altinn is asked then:
# as long as the reads go on, what is given is seen within six seconds.
WATCHED_FOR = 30 * SECOND
WATCHED_EVERY = 5 * SECOND
# With a shorter pause between reads it is the same wait. Who has waited for longer than this has
# no longer a part of the budget to himself, nor the first place in the line.
ONE_WAIT = 10 * MINUTE

# Each line: until this age, ask as often as that. What is older goes by the next line.
REQUESTED: Sequence[tuple[timedelta, timedelta]] = (
    (MINUTE, MINUTE),
    (6 * MINUTE, 5 * MINUTE),
    (21 * MINUTE, 15 * MINUTE),
    (timedelta.max, HOUR),
)
WAITING: Sequence[tuple[timedelta, timedelta]] = (
    (3 * DAY, HOUR),
    (33 * DAY, 6 * HOUR),
    (timedelta.max, DAY),
)
PROPAGATING = 20 * SECOND
SURELY_ACTIVE = 12 * HOUR
"""At least this long, and at most twice as long, lest a whole country is asked about at once."""
# A right that a client uses for something sensitive is asked about again when it was last seen
# longer ago than this.
SENSITIVE_AFTER = 5 * MINUTE
AFTER_FAILURES = (30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE)

# Somebody who waits sees nothing new here, however often it is asked.
_UNHURRIED = frozenset({State.ACTIVE, State.SUSPECT})


class Attention(Struct, frozen=True):
    """Whether somebody waits for the record, and how often asking has failed."""

    watched_since: datetime | None
    watched_until: datetime | None
    failures: int = 0

    def is_watched(self, now: datetime) -> bool:
        return self.watched_until is not None and self.watched_until >= now

    def is_urgent(self, now: datetime) -> bool:
        """Somebody has begun to wait not long ago."""
        since = self.watched_since
        return self.is_watched(now) and since is not None and since > now - ONE_WAIT


def next_check(
    standing: Standing, attention: Attention, now: datetime, chance: float, scale: float = 1.0
) -> datetime | None:
    """`chance`, from 0 to 1, spreads the calls. None: it need not be asked about again.

    The plan's waits are divided by `scale`; those after failures spare Altinn, and stay.
    """
    if standing.state == State.NOT_REQUIRED:
        return None
    watched = attention.is_watched(now)
    if attention.failures:
        wait = AFTER_FAILURES[min(attention.failures, len(AFTER_FAILURES)) - 1]
        return now + (min(wait, AFTER_FAILURES[0]) if watched else wait * (1 + chance / 10))
    if standing.state == State.ACTIVE:
        return now + _scaled(SURELY_ACTIVE * (1 + chance), scale)
    if standing.state == State.SUSPECT:
        settled_at = (standing.first_no_at or now) + SETTLED_AFTER / scale
        return max(now + _scaled(MINUTE, scale), settled_at)
    calm = _scaled(_calm_wait(standing, now, scale), scale)
    return now + (min(WATCHED_EVERY, calm) if watched else calm * (1 + chance / 10))


def _scaled(wait: timedelta, scale: float) -> timedelta:
    """No plan has less than a second, and in no scale is asked more often."""
    return max(wait / scale, SECOND)


def _calm_wait(standing: Standing, now: datetime, scale: float) -> timedelta:
    if standing.state == State.APPROVED_PROPAGATING:
        return PROPAGATING
    if standing.state in OPEN_REQUEST and standing.requested_at is not None:
        return _step(REQUESTED, now - standing.requested_at, scale) or HOUR
    if standing.state in OF_ORGANIZATION:
        return DAY
    return _step(WAITING, now - standing.since, scale) or DAY


def _step(
    table: Sequence[tuple[timedelta, timedelta]], age: timedelta, scale: float
) -> timedelta | None:
    return next((wait for until, wait in table if age < until / scale), None)


def can_be_hurried(state: State) -> bool:
    """Whether a reader's interest brings the next check forward."""
    return state not in _UNHURRIED and state != State.NOT_REQUIRED
