"""How long an answer of Enhetsregisteret holds."""

from datetime import datetime, timedelta

from msgspec import Struct

from app.organizations.register import RegisterEntry, Verdict

FRESH = timedelta(hours=24)
FRESH_REFUSAL = timedelta(hours=1)
FALLBACK = timedelta(days=7)


class Found(Struct, frozen=True):
    """What is known of a number. `stale`: the register could not be asked when it should have."""

    entry: RegisterEntry
    stale: bool = False


def remembered(entry: RegisterEntry, checked_at: datetime, now: datetime) -> Found | None:
    """What was learnt at `checked_at`, as long as the register need not be asked again."""
    lasts = FRESH if entry.verdict == Verdict.MAIN_UNIT else FRESH_REFUSAL
    # An answer from the future is left over from a clock that has been set back.
    return Found(entry) if timedelta(0) <= now - checked_at < lasts else None


def fallen_back(entry: RegisterEntry, checked_at: datetime, now: datetime) -> Found | None:
    """What still counts when the register gives no answer.

    That it did not know a number does not: the organization may have been registered since.
    """
    if entry.verdict == Verdict.UNKNOWN_NUMBER or abs(now - checked_at) >= FALLBACK:
        return None
    return Found(entry, stale=True)
