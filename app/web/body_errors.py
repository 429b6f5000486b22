"""What is wrong with a body that msgspec has refused: everything, each with its place and advice.

Goes along the description that msgspec gives of a Struct; nothing is converted here.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, ValidationError, convert, inspect

from app.problems import FieldError
from app.web.json_text import pointer_to

MOST_ERRORS = 100


class _Place(Struct, frozen=True):
    """A place in the body, as a pointer and as people write it."""

    pointer: str = "#"
    name: str = ""

    def member(self, name: str) -> "_Place":
        short = name if len(name) <= 100 else f"{name[:100]}…"
        return _Place(pointer_to(self.pointer, name), f"{self.name}.{short}".lstrip("."))

    def item(self, index: int) -> "_Place":
        return _Place(pointer_to(self.pointer, index), f"{self.name}[{index}]")

    def __str__(self) -> str:
        return f"`{self.name}`" if self.name else "The body"


class _Found:
    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, place: _Place, code: str, detail: str) -> None:
        self.errors.append(FieldError(place.pointer, code, f"{place} {detail}."))

    @property
    def enough(self) -> bool:
        """More would help nobody, and a hostile body could ask for thousands."""
        return len(self.errors) >= MOST_ERRORS


def struct_errors(value: object, description: inspect.StructType) -> list[FieldError]:
    found = _Found()
    _check_struct(value, description, _Place(), found)
    return found.errors


def _check(value: object, kind: inspect.Type, place: _Place, found: _Found) -> None:
    check = _CHECKS.get(type(kind))
    if check is not None and not found.enough:
        check(value, kind, place, found)


def _check_struct(value: object, kind: Any, place: _Place, found: _Found) -> None:
    if not isinstance(value, dict):
        found.add(place, "wrong_type", "must be a JSON object")
        return
    for field in kind.fields:
        if field.encode_name in value:
            _check(value[field.encode_name], field.type, place.member(field.encode_name), found)
        elif field.required:
            found.add(place.member(field.encode_name), "missing", "is missing")
    if kind.forbid_unknown_fields:
        known = {field.encode_name for field in kind.fields}
        for name in value:
            if name not in known and not found.enough:
                found.add(place.member(name), "unknown_member", "is not known here: leave it out")


def _check_metadata(value: object, kind: Any, place: _Place, found: _Found) -> None:
    before = len(found.errors)
    _check(value, kind.type, place, found)
    examples = (kind.extra_json_schema or {}).get("examples")
    last = len(found.errors) - 1
    if examples and last == before and found.errors[last].pointer == place.pointer:
        error = found.errors[last]
        detail = f"{error.detail.removesuffix('.')}, such as `{examples[0]}`."
        found.errors[last] = FieldError(error.pointer, error.code, detail)


def _check_union(value: object, kind: Any, place: _Place, found: _Found) -> None:
    choices = [choice for choice in kind.types if not isinstance(choice, inspect.NoneType)]
    if len(choices) == 1:
        _check(value, choices[0], place, found)
        return
    attempts: list[list[FieldError]] = []
    for choice in choices:
        attempt = _Found()
        _check(value, choice, place, attempt)
        attempts.append(attempt.errors)
    # The choice that was meant is the one whose kind of value is right.
    meant = [errors for errors in attempts if [e.code for e in errors] != ["wrong_type"]]
    if meant:
        nearest: list[FieldError] = min(meant, key=len)
        found.errors.extend(nearest)
    else:
        found.add(place, "wrong_type", "is not of a kind that is expected here")


def _check_list(value: object, kind: Any, place: _Place, found: _Found) -> None:
    if not isinstance(value, list):
        found.add(place, "wrong_type", "must be a list")
        return
    _check_length(value, kind, "items", place, found)
    for index, item in enumerate(value):
        if found.enough:
            break
        _check(item, kind.item_type, place.item(index), found)


def _check_dict(value: object, kind: Any, place: _Place, found: _Found) -> None:
    if not isinstance(value, dict):
        found.add(place, "wrong_type", "must be a JSON object")
        return
    _check_length(value, kind, "members", place, found)
    for name, member in value.items():
        if found.enough:
            break
        _check(name, kind.key_type, place.member(name), found)
        _check(member, kind.value_type, place.member(name), found)


def _check_text(value: object, kind: Any, place: _Place, found: _Found) -> None:
    if not isinstance(value, str):
        found.add(place, "wrong_type", "must be a string")
    elif value == "" and kind.min_length:
        found.add(place, "too_short", "must not be empty")
    elif not _check_length(value, kind, "characters", place, found):
        return
    elif kind.pattern is not None and not re.search(kind.pattern, value):
        form = f"does not have the form that is asked for ({kind.pattern})"
        found.add(place, "pattern_mismatch", form)


def _check_length(value: Any, kind: Any, unit: str, place: _Place, found: _Found) -> bool:
    if kind.min_length is not None and len(value) < kind.min_length:
        found.add(place, "too_short", f"must have at least {kind.min_length} {unit}")
    elif kind.max_length is not None and len(value) > kind.max_length:
        found.add(place, "too_long", f"must have at most {kind.max_length} {unit}")
    else:
        return True
    return False


def _check_number(value: object, kind: Any, place: _Place, found: _Found) -> None:
    whole = isinstance(kind, inspect.IntType)
    fits = (isinstance(value, float) and value.is_integer()) if whole else isinstance(value, float)
    if isinstance(value, bool) or not (fits or isinstance(value, int)):
        found.add(place, "wrong_type", "must be a whole number" if whole else "must be a number")
        return
    for name, broken, words in _BOUNDS:
        bound = getattr(kind, name)
        if bound is not None and broken(value, bound):
            code = "too_small" if name in ("ge", "gt") else "too_large"
            found.add(place, code, f"must be {words} {bound}")


_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("ge", lambda value, bound: bool(value < bound), "at least"),
    ("gt", lambda value, bound: bool(value <= bound), "more than"),
    ("le", lambda value, bound: bool(value > bound), "at most"),
    ("lt", lambda value, bound: bool(value >= bound), "less than"),
)


def _check_bool(value: object, kind: Any, place: _Place, found: _Found) -> None:
    if not isinstance(value, bool):
        found.add(place, "wrong_type", "must be true or false")


def _check_enum(value: object, kind: Any, place: _Place, found: _Found) -> None:
    _check_choice(value, [member.value for member in kind.cls], place, found)


def _check_literal(value: object, kind: Any, place: _Place, found: _Found) -> None:
    _check_choice(value, list(kind.values), place, found)


def _check_choice(value: object, choices: list[object], place: _Place, found: _Found) -> None:
    if value not in choices:
        found.add(place, "not_a_choice", f"must be one of {', '.join(map(str, choices))}")


def _check_form(code: str, form: str, kind: type) -> "_Check":
    """For the kinds that msgspec reads out of text."""

    def check(value: object, _: Any, place: _Place, found: _Found) -> None:
        try:
            convert(value, kind)
        except ValidationError:
            found.add(place, code, f"must be {form}")

    return check


_Check = Callable[[object, Any, _Place, _Found], None]
_CHECKS: dict[type[inspect.Type], _Check] = {
    inspect.StructType: _check_struct,
    inspect.Metadata: _check_metadata,
    inspect.UnionType: _check_union,
    inspect.ListType: _check_list,
    inspect.DictType: _check_dict,
    inspect.StrType: _check_text,
    inspect.IntType: _check_number,
    inspect.FloatType: _check_number,
    inspect.BoolType: _check_bool,
    inspect.EnumType: _check_enum,
    inspect.LiteralType: _check_literal,
    inspect.UUIDType: _check_form("not_a_uuid", "a UUID", UUID),
    inspect.DateTimeType: _check_form(
        "not_a_time", "a time with zone, such as `2025-12-31T13:13:13Z`", datetime
    ),
    inspect.DateType: _check_form("not_a_date", "a date, such as `2025-12-31`", date),
}
