"""What a verdict of Enhetsregisteret means for somebody who asks for a client."""

from collections.abc import Container, Sequence
from typing import assert_never

from msgspec import Struct

from app.organizations.register import RegisterEntry, Verdict
from app.problems import FieldError


class Above(Struct, frozen=True):
    """A unit that another one belongs to."""

    number: str
    verdict: Verdict


def verdict_error(
    entry: RegisterEntry,
    number: str,
    *,
    pointer: str,
    organisasjonsledd_allowed: Container[str] = (),
    above: Sequence[Above] = (),
) -> FieldError | None:
    """Why `number` cannot own a client, and what to do; None when it can.

    `above` are the units that it belongs to, as far as they are known, the nearest first.
    """
    if entry.verdict == Verdict.MAIN_UNIT:
        return None
    if entry.verdict == Verdict.ORGANIZATIONAL_PART and number in organisasjonsledd_allowed:
        return None
    if above and above[0].number in organisasjonsledd_allowed:
        above = ()  # the nearest will do
    return FieldError(pointer, _code(entry.verdict), _detail(entry, number, above))


def winding_up_warning(entry: RegisterEntry, number: str) -> str | None:
    """What does not stop a client, but what the one who asks for it should know."""
    if not entry.winding_up:
        return None
    return f"Enhetsregisteret says that {_named(entry, number)} is being wound up."


def _code(verdict: Verdict) -> str:
    match verdict:
        case Verdict.SUB_UNIT:
            return "sub_unit"
        case Verdict.ORGANIZATIONAL_PART:
            return "organizational_part"
        case Verdict.BANKRUPT:
            return "organization_bankrupt"
        case Verdict.DELETED | Verdict.REMOVED:
            return "organization_deleted"
        case Verdict.UNKNOWN_NUMBER | Verdict.MAIN_UNIT:
            return "unknown_organization"
        case _:
            assert_never(verdict)


def _detail(entry: RegisterEntry, number: str, above: Sequence[Above]) -> str:
    name = _named(entry, number)
    match entry.verdict:
        case Verdict.SUB_UNIT:
            return f"{name} is a sub-unit: {_instead(entry, above)}"
        case Verdict.ORGANIZATIONAL_PART:
            part = "is a part of another organization (organisasjonsledd)"
            return f"{name} {part}: {_instead(entry, above)}"
        case Verdict.BANKRUPT:
            return (
                f"Enhetsregisteret says that {name} is bankrupt. If the business goes on in"
                " another organization, use the number of that one."
            )
        case Verdict.DELETED | Verdict.REMOVED:
            return (
                f"{name} has been deleted from Enhetsregisteret. If the organization has been"
                " merged or registered anew, use its present number."
            )
        case _:
            return (
                f"Enhetsregisteret does not know {number}: check the number. An organization that"
                " has just been registered can be looked up within an hour."
            )


def _instead(entry: RegisterEntry, above: Sequence[Above]) -> str:
    """What to use, which may stand several levels up, or be of no use itself."""
    if entry.main_unit is None:
        return "use the number of its main unit."
    if not above or above[0].verdict is Verdict.MAIN_UNIT:
        return f"use the number of its main unit, {entry.main_unit}."
    *between, top = above
    parts = ", ".join(unit.number for unit in between)
    if top.verdict is Verdict.MAIN_UNIT:
        return (
            f"use the number of its main unit, {top.number}. Not {parts}, which it stands below:"
            " that is a part of another organization (organisasjonsledd), too."
        )
    why = _OF_NO_USE.get(top.verdict)
    if why is None:
        return (
            f"use the number of its main unit. Not {top.number}, which it stands below: that is"
            " a part of another organization, too."
        )
    return (
        f"its main unit, {top.number}, would have to be used, but that {why}. If the business"
        " goes on in another organization, use the number of that one."
    )


_OF_NO_USE = {
    Verdict.BANKRUPT: "is bankrupt",
    Verdict.DELETED: "has been deleted from Enhetsregisteret",
    Verdict.REMOVED: "has been deleted from Enhetsregisteret",
    Verdict.UNKNOWN_NUMBER: "is not known to Enhetsregisteret",
}


def _named(entry: RegisterEntry, number: str) -> str:
    return number if entry.name is None else f"{number} ({entry.name})"
