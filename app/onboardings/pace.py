"""Nobody has to ask faster than he is told; who does is asked to wait, and never made to pay.

A bucket that leaks: what was refused is not counted, so it is forgotten with the next second.
Each process counts for itself: this guards the process, and is no promise to anybody.
"""

import math
import time
from collections import OrderedDict

from app.problems import TooManyRequests

AT_ONCE = 30
A_SECOND = 2.0
MOST_REMEMBERED = 20_000


class Buckets:
    """How much each caller has asked of late."""

    def __init__(self) -> None:
        self._levels: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def count(self, caller: bytes) -> None:
        now = time.monotonic()
        level, at = self._levels.pop(caller, (0.0, now))
        level = max(0.0, level - (now - at) * A_SECOND)
        too_often = level + 1 > AT_ONCE
        self._levels[caller] = (level if too_often else level + 1, now)
        if len(self._levels) > MOST_REMEMBERED:
            self._levels.popitem(last=False)
        if too_often:
            seconds = math.ceil((level + 1 - AT_ONCE) / A_SECOND)
            raise TooManyRequests(
                "This onboarding is read more often than is worth it. `pollAfterSeconds` says how "
                "soon to ask again; with `Prefer: wait=25` and `If-None-Match` the answer waits "
                "for news.",
                retry_after=seconds,
            )
