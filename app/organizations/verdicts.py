"""What a verdict of Enhetsregisteret means for somebody who asks for a client."""

from collections.abc import Container
from typing import assert_never

from app.organizations.register import RegisterEntry, Verdict
from app.problems import FieldError


def verdict_error(
    entry: RegisterEntry,
    number: str,
    *,
    pointer: str,
    organisasjonsledd_allowed: Container[str] = (),
) -> FieldError | None:
    """Why `number` cannot own a client, and what to do; None when it can."""
    if entry.verdict == Verdict.MAIN_UNIT:
        return None
    if entry.verdict == Verdict.ORGANIZATIONAL_PART and number in organisasjonsledd_allowed:
        return None
    return FieldError(pointer, _code(entry.verdict), _detail(entry, number))


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


def _detail(entry: RegisterEntry, number: str) -> str:
    name = _named(entry, number)
    match entry.verdict:
        case Verdict.SUB_UNIT:
            return f"{name} is a sub-unit: {_instead(entry)}"
        case Verdict.ORGANIZATIONAL_PART:
            return (
                f"{name} is a part of another organization (organisasjonsledd): {_instead(entry)}"
            )
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


def _instead(entry: RegisterEntry) -> str:
    if entry.main_unit is None:
        return "use the number of its main unit."
    return f"use the number of its main unit, {entry.main_unit}."


def _named(entry: RegisterEntry, number: str) -> str:
    return number if entry.name is None else f"{number} ({entry.name})"
