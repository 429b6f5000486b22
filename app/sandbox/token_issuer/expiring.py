"""Things that are remembered until a moment: requests, codes, refresh tokens, used `jti`s."""

from datetime import datetime
from typing import Generic, TypeVar

V = TypeVar("V")

SWEEP_AT = 4_096


class Expiring(Generic[V]):
    def __init__(self) -> None:
        self._kept: dict[str, tuple[V, datetime]] = {}
        self._sweep_at = SWEEP_AT

    def put(self, name: str, value: V, *, until: datetime, now: datetime) -> None:
        if len(self._kept) >= self._sweep_at:
            self._kept = {key: pair for key, pair in self._kept.items() if pair[1] > now}
            self._sweep_at = max(SWEEP_AT, 2 * len(self._kept))
        self._kept[name] = (value, until)

    def get(self, name: str, now: datetime) -> V | None:
        value, until = self._kept.get(name, (None, now))
        return value if until > now else None

    def take(self, name: str, now: datetime) -> V | None:
        """The value, which is gone afterwards."""
        value = self.get(name, now)
        self._kept.pop(name, None)
        return value


class UsedOnce:
    """Says of each name whether this is its first use."""

    def __init__(self) -> None:
        self._used: Expiring[bool] = Expiring()

    def spend(self, name: str, *, until: datetime, now: datetime) -> bool:
        if self._used.get(name, now):
            return False
        self._used.put(name, True, until=until, now=now)
        return True
