"""The register as it stands now: the fixed organisations, and what has been changed since."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from app.sandbox.enhetsregisteret.organizations import (
    TABLE,
    Organization,
    Standing,
    find_organization,
)

KIND_OF_CHANGE = {
    Standing.LIVE: "Endring",
    Standing.BANKRUPT: "Endring",
    Standing.BEING_WOUND_UP: "Endring",
    Standing.DELETED: "Sletting",
    Standing.MERGED: "Sletting",
    Standing.REMOVED: "Fjernet",
    Standing.REMOVED_SILENTLY: "Fjernet",
    Standing.UNKNOWN: "Ukjent",
}
STILL_THERE = (Standing.LIVE, Standing.BANKRUPT, Standing.BEING_WOUND_UP)
FIRST_UPDATE = 20_000_001


class Update(Struct, frozen=True, kw_only=True):
    """A row of the update feed."""

    identifier: int
    at: datetime
    number: str
    kind: str
    is_sub_unit: bool


class Register:
    def __init__(self, own: Sequence[Organization] = ()) -> None:
        """`own` organisations stand before the fixed ones with their numbers."""
        self._own = {one.number: one for one in own}
        self._next_update = FIRST_UPDATE
        self.reset()

    def reset(self) -> None:
        """The feed's numbers go on, so that no cursor that is kept points ahead of it."""
        self._changed: dict[str, Organization] = {}
        self.updates: list[Update] = []

    def find(self, number: str) -> Organization | None:
        """What the register has under the number, or None where it has never heard of it."""
        changed = self._changed.get(number) or self._own.get(number)
        if changed is not None:
            return None if changed.standing is Standing.UNKNOWN else changed
        return find_organization(number)

    def all_named(self) -> list[Organization]:
        """Those with a name of their own; the others are found by number only."""
        first = {one.number: one for one in TABLE} | self._own
        named = [self._changed.get(number, one) for number, one in first.items()]
        return named + [one for number, one in self._changed.items() if one not in named]

    def sub_units(self, number: str) -> list[Organization]:
        return [one for one in self.all_named() if one.is_sub_unit and one.parent == number]

    def mark(self, organization: Organization, standing: Standing, now: datetime) -> Update:
        ended = None if standing in STILL_THERE else now.date()
        changed = replace(organization, standing=standing, ended=ended)
        self._changed[organization.number] = changed
        update = Update(
            identifier=self._next_update,
            # To the millisecond, as it is shown: whoever asks from it on gets this row again.
            at=now.replace(microsecond=now.microsecond // 1_000 * 1_000),
            number=organization.number,
            kind=KIND_OF_CHANGE[standing],
            is_sub_unit=organization.is_sub_unit,
        )
        self._next_update += 1
        self.updates.append(update)
        return update
