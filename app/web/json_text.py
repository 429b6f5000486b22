"""JSON as a hostile sender may write it, read so that nothing later has to be on its guard.

The standard parser is content with a member that stands twice, NaN, NUL and half a surrogate
pair; each of them means something else to the next reader, or breaks the database. The usual
body is read once. Only one that looks suspicious is read again and searched, for the place.
"""

import json
import re
from collections import Counter
from urllib.parse import quote

from app.problems import FieldError, InvalidRequest

DEEPEST = 32
MOST_ERRORS = 20
LONGEST_INTEGER = 20  # digits; more is no number of ours, and slow to read
LONGEST_NAME = 100  # of a member, in a pointer

# A NUL can only come as this escape, half a surrogate pair only as one of the others.
_SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class _LooksSuspicious(Exception):
    """Read again, slowly."""


class _Twice(dict[str, object]):
    """An object with a member that stands in it twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs)
        self.names = sorted(name for name, count in times.items() if count > 1)


class _NoNumber:
    """What is written where a number should be, and is none that can be used."""


def read_json(raw: bytes) -> object:
    """What `raw` says. Members that are null are left out: null and absent mean the same here."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal("not_utf8", "The body is not UTF-8.") from None
    try:
        if not (_SUSPICIOUS_ESCAPE.search(raw) or raw.count(b"[") + raw.count(b"{") > DEEPEST):
            return _QUICK.decode(text)
    except _LooksSuspicious:
        pass
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None
    return _searched(text)


def pointer_to(pointer: str, member: str | int) -> str:
    """The pointer to a member of what `pointer` names, escaped for JSON and for an address."""
    name = str(member)[:LONGEST_NAME].replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{quote(name, safe='!$&()*+,;=:@~-._', errors='replace')}"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _LooksSuspicious
    return _without_nulls(members)


def _without_nulls(members: dict[str, object]) -> dict[str, object]:
    if any(value is None for value in members.values()):
        return {name: value for name, value in members.items() if value is not None}
    return members


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise _LooksSuspicious
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _LooksSuspicious
    return number


def _constant(_: str) -> object:
    raise _LooksSuspicious


_QUICK = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _marked_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Twice(pairs)


def _marked_number(text: str) -> object:
    try:
        return _integer(text) if text.lstrip("-").isdigit() else _float(text)
    except _LooksSuspicious:
        return _NoNumber()


_MARKING = json.JSONDecoder(
    object_pairs_hook=_marked_object,
    parse_int=_marked_number,
    parse_float=_marked_number,
    parse_constant=lambda _: _NoNumber(),
)


def _searched(text: str) -> object:
    try:
        value = _MARKING.decode(text)
    except RecursionError:
        raise _refusal("too_deep", f"The body is nested deeper than {DEEPEST}.") from None
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None
    errors: list[FieldError] = []
    clean = _clean(value, "#", 0, errors)
    if errors:
        raise InvalidRequest(errors)
    return clean


def _clean(value: object, pointer: str, depth: int, errors: list[FieldError]) -> object:
    """`value` without nulls; everything that is wrong with it goes to `errors`."""
    if len(errors) >= MOST_ERRORS:
        return value
    if isinstance(value, str):
        _check_text(value, pointer, errors)
    elif isinstance(value, _NoNumber):
        errors.append(FieldError(pointer, "not_a_number", "No number that can be used is here."))
    elif isinstance(value, (dict, list)) and depth == DEEPEST:
        errors.append(FieldError(pointer, "too_deep", f"The body is nested deeper than {DEEPEST}."))
    elif isinstance(value, dict):
        return _clean_object(value, pointer, depth, errors)
    elif isinstance(value, list):
        return [
            _clean(item, pointer_to(pointer, index), depth + 1, errors)
            for index, item in enumerate(value)
        ]
    return value


def _clean_object(
    members: dict[str, object], pointer: str, depth: int, errors: list[FieldError]
) -> dict[str, object]:
    if isinstance(members, _Twice):
        errors.extend(
            FieldError(pointer_to(pointer, name), "duplicate_member", "This member stands twice.")
            for name in members.names[:MOST_ERRORS]
        )
    for name in members:
        _check_text(name, pointer_to(pointer, name), errors)
    return _without_nulls(
        {
            name: _clean(value, pointer_to(pointer, name), depth + 1, errors)
            for name, value in members.items()
        }
    )


def _check_text(text: str, pointer: str, errors: list[FieldError]) -> None:
    if "\0" in text:
        errors.append(FieldError(pointer, "nul_character", "Text must not hold NUL (\\u0000)."))
    try:
        text.encode()
    except UnicodeEncodeError:
        errors.append(
            FieldError(pointer, "lone_surrogate", "The text holds one half of a surrogate pair.")
        )


def _refusal(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("#", code, detail)])


def _not_json(text: str, error: json.JSONDecodeError) -> InvalidRequest:
    if not text.strip():
        return _refusal("missing", "The body is empty: send JSON.")
    place = f"line {error.lineno}, column {error.colno}"
    return _refusal("not_json", f"The body is not JSON: {error.msg} ({place}).")
