"""Who has given whom what, and from when it is seen."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct


class Delegation(Struct, frozen=True):
    """Giver and receiver by organisation number, or by a person's identity number."""

    giver: str
    receiver: str
    resource: str

    @property
    def is_to_person(self) -> bool:
        return len(self.receiver) == 11


class Change(Struct, frozen=True, kw_only=True):
    held: bool
    made: datetime
    seen_from: datetime


Beginning = Callable[[Delegation, datetime], list[Change]]


class Delegations:
    def __init__(self, beginning: Beginning) -> None:
        """`beginning` says what was so before anybody looked; it is asked once for each."""
        self._beginning = beginning
        self._changes: dict[Delegation, list[Change]] = {}
        self._touched: set[Delegation] = set()

    def change(
        self, delegation: Delegation, *, held: bool, now: datetime, seen_after: timedelta
    ) -> None:
        change = Change(held=held, made=now, seen_from=now + seen_after)
        self._history(delegation, now).append(change)
        self._touched.add(delegation)

    def is_touched(self, delegation: Delegation) -> bool:
        """Whether somebody has given or withdrawn it, and not only looked."""
        return delegation in self._touched

    def last_seen(self, delegation: Delegation, now: datetime) -> Change | None:
        """The latest change that is seen by now, whichever way it went."""
        history = self._history(delegation, now)
        return next((change for change in reversed(history) if change.seen_from <= now), None)

    def last_made(self, delegation: Delegation, now: datetime) -> Change | None:
        """As Altinn's own pages see it, which know of a change at once."""
        history = self._history(delegation, now)
        return next((change for change in reversed(history) if change.made <= now), None)

    def known(self) -> Iterable[Delegation]:
        """Those that somebody has looked at or changed."""
        return list(self._changes)

    def _history(self, delegation: Delegation, now: datetime) -> list[Change]:
        if delegation not in self._changes:
            self._changes[delegation] = self._beginning(delegation, now)
        return self._changes[delegation]
