"""What has been given before anybody does anything: organisation numbers choose."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.sandbox.altinn.delegations import Change, Delegation
from app.sandbox.altinn.resources import DATA_PROCESSOR, FOREIGN, TAKE_INTO_USE
from app.sandbox.enhetsregisteret.organizations import SERIES, Organization
from app.sandbox.people import KARI

SUPPLIERS = ("310700029", "310700037")
LONG_AGO = datetime(2026, 3, 2, 9, 14, 27, 301_000, tzinfo=UTC)

NO_PERSONS_RIGHT = "310000035"
NOTHING_GIVEN = "310000183"
WITHDRAWN_SOON = "310000191"
SEEN_LATE = "310000205"
OUT_OF_ORDER = "310000213"
"""Calls about what it has given to organisations are answered with 503."""
CONTRADICTING = "310000221"
"""Maskinporten's look-up says the opposite of the others."""

UNTIL_WITHDRAWN = timedelta(seconds=60)
UNTIL_SEEN = timedelta(seconds=30)

FindOrganization = Callable[[str], Organization | None]


class OutOfOrder(Exception):
    """Altinn cannot answer about this organisation."""


def refuse_out_of_order(delegation: Delegation) -> None:
    """What persons have been given is answered as always."""
    if delegation.giver == OUT_OF_ORDER and not delegation.is_to_person:
        raise OutOfOrder


def beginning(
    find: FindOrganization, time_scale: float
) -> Callable[[Delegation, datetime], list[Change]]:
    """Times run from the first look, so that they mean the same however old the sandbox is."""

    def changes(delegation: Delegation, now: datetime) -> list[Change]:
        giver = find(delegation.giver)
        if giver is None or not _is_given(delegation, giver):
            return []
        if delegation.is_to_person:
            return [_from(LONG_AGO)]
        if giver.number == WITHDRAWN_SOON:
            return [_from(LONG_AGO), _from(now + UNTIL_WITHDRAWN / time_scale, held=False)]
        if giver.number == SEEN_LATE:
            return [Change(held=True, made=now, seen_from=now + UNTIL_SEEN / time_scale)]
        return [_from(LONG_AGO)]

    return changes


def _is_given(delegation: Delegation, giver: Organization) -> bool:
    if delegation.is_to_person:
        given = delegation.resource in (TAKE_INTO_USE.identifier, FOREIGN.identifier)
        return given and delegation.receiver == KARI.pid and giver.number != NO_PERSONS_RIGHT
    return (
        delegation.resource == DATA_PROCESSOR.identifier
        and delegation.receiver in SUPPLIERS
        and delegation.giver not in (delegation.receiver, NOTHING_GIVEN)
        and SERIES[0] <= delegation.giver <= SERIES[1]
        # Only a main unit can give this right.
        and not giver.is_sub_unit
        and giver.form != "ORGL"
    )


def _from(moment: datetime, *, held: bool = True) -> Change:
    return Change(held=held, made=moment, seen_from=moment)
