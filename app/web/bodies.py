"""The one reader of request bodies: from bytes to a Struct, or to everything that is wrong.

A caller that must correct a body wants all of its faults at once, each with its place. msgspec
stops at the first, so a body that it refuses is gone through field by field. `fields_of` hands
out what is right with what is wrong, so that rules can be checked in the same answer.
"""

import re
from email.message import Message
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

from app.problems import FieldError, InvalidRequest, NotJson
from app.web.body_errors import struct_errors
from app.web.json_text import read_json

S = TypeVar("S", bound=Struct)
_USUAL_TYPES = frozenset({"application/json", "application/json; charset=utf-8"})
_JSON_TYPE = re.compile(r"application/(json|[a-z0-9!#$&^_.+-]+\+json)")


def read_body(raw: bytes, kind: type[S]) -> S:
    """`raw` as a `kind`; `InvalidRequest` holds every error."""
    return body_of(read_json(raw), kind)


def body_of(value: object, kind: type[S]) -> S:
    """The same for what `read_json` has read already."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(_errors(value, kind, error)) from None


def fields_of(raw: bytes, kind: type[Struct]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that are right, by their names in `kind` and with its defaults, and all errors.

    What `read_json` refuses cannot be read in part: it raises.
    """
    value = read_json(raw)
    try:
        body = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return _right_fields(value, kind), _errors(value, kind, error)
    return msgspec.structs.asdict(body), []


class _Nothing(Struct, forbid_unknown_fields=True):
    """What a request says that has nothing to say."""


def no_members(raw: bytes) -> None:
    """Refuse members where none are known. No body is as good as an empty object."""
    if raw.strip():
        read_body(raw, _Nothing)


def check_content_type(header: str | None) -> None:
    """Refuse what does not say that it is JSON in UTF-8."""
    if header in _USUAL_TYPES:
        return
    message = Message()
    message["Content-Type"] = header or ""
    kind = message.get_content_type() if header else ""
    if not _JSON_TYPE.fullmatch(kind):
        raise NotJson("Send the body with `Content-Type: application/json`.")
    if message.get_content_charset("utf-8") not in ("utf-8", "utf8"):
        raise NotJson("Send the body in UTF-8.")


@cache
def _description(kind: type[Struct]) -> inspect.StructType:
    description = inspect.type_info(kind)
    assert isinstance(description, inspect.StructType)
    return description


def _errors(value: object, kind: type[Struct], refused: Exception) -> list[FieldError]:
    found = struct_errors(value, _description(kind))
    return found or [FieldError("#", "not_acceptable", f"The body is not acceptable: {refused}.")]


def _right_fields(value: object, kind: type[Struct]) -> dict[str, Any]:
    right: dict[str, Any] = {}
    if not isinstance(value, dict):
        return right
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            try:
                right[field.name] = msgspec.convert(value[field.encode_name], field.type)
            except msgspec.ValidationError:
                continue
        elif field.default is not msgspec.NODEFAULT:
            right[field.name] = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            right[field.name] = field.default_factory()
    return right
