"""The pace at which an issuer that does not answer is tried again."""

from datetime import timedelta

FIRST_WAIT = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(minutes=5)

# Longer than a publication may take, so that nobody else calls while a call is under way. That of a
# worker that was killed is waited for, too: what it has sent may still be on its way to the issuer,
# where the older state would come after the newer, and nobody would be left to tell it once more.
LEASE = timedelta(seconds=15)
CALL_WITHIN = timedelta(seconds=8)


def wait_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row. `chance`, from 0 to 1, spreads the calls.

    The wait doubles; at least half of it is always kept, lest a crowd comes back at once.
    """
    doubled: int = 2 ** min(attempts - 1, 20)
    longest = min(FIRST_WAIT * doubled, LONGEST_WAIT)
    return longest * (0.5 + chance / 2)
