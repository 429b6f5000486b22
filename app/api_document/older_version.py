"""The document in OpenAPI 3.0.3, for generators that do not read 3.1 well.

Nothing is lost but what 3.0 has no words for. What this does not know how to say there is an
error: a wrong document would be worse than none.
"""

from collections.abc import Callable, Mapping
from typing import Any

LICENSES: Mapping[str, str] = {"Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0"}

# Of a schema, what means the same in both versions.
SAME = {
    "default",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "example",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "uniqueItems",
    "writeOnly",
}
# 3.0 has nothing for it, and without it the schema says no wrong.
UNSAYABLE = {"contentMediaType", "contentEncoding"}


class NotIn30(Exception):
    """OpenAPI 3.0.3 cannot say this."""


def in_3_0(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of OpenAPI 3.1 as one of 3.0.3."""
    if "webhooks" in document:
        raise NotIn30("webhooks")
    name, identifier = document["info"]["license"].values()
    info = {**document["info"], "license": {"name": name, "url": LICENSES[identifier]}}
    schemas = document["components"]["schemas"]
    rest = _part({**document, "openapi": "3.0.3", "info": info})
    return {
        **rest,
        "components": {
            **rest["components"],
            "schemas": {name: _schema(schema) for name, schema in schemas.items()},
        },
    }


def _part(part: Any) -> Any:
    """Anything outside schemas. What lies in examples is data."""
    if isinstance(part, list):
        return [_part(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": part["$ref"]}
    return {
        name: inner
        if name in ("example", "examples", "schemas")
        else _schema(inner)
        if name == "schema"
        else _part(inner)
        for name, inner in part.items()
    }


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _reference(schema)
    older: dict[str, Any] = {}
    for name, value in schema.items():
        if name in SAME:
            older[name] = value
        elif name in WORDS:
            older |= WORDS[name](value)
        elif name not in UNSAYABLE:
            raise NotIn30(name)
    if older.get("nullable") and "enum" in older and None not in older["enum"]:
        older["enum"] = [*older["enum"], None]
    return older


def _reference(schema: Mapping[str, Any]) -> dict[str, Any]:
    """3.0 overlooks what stands beside a reference, so that it has to stand around it."""
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    alone = {"$ref": schema["$ref"]}
    return _schema(beside) | {"allOf": [alone]} if beside else alone


def _type(kinds: str | list[str]) -> dict[str, Any]:
    named = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    if len(named) != 1 or named == ["null"]:
        raise NotIn30(f"type {kinds}")
    return {"type": named[0]} if isinstance(kinds, str) else {"type": named[0], "nullable": True}


def _any_of(choices: list[Any]) -> dict[str, Any]:
    """A reference or null; 3.0 knows no null among the choices."""
    others = [choice for choice in choices if choice != {"type": "null"}]
    if len(others) == len(choices):
        return {"anyOf": [_schema(choice) for choice in choices]}
    (only,) = others
    return {"allOf": [_schema(only)], "nullable": True}


def _inside(value: Any) -> Any:
    return value if isinstance(value, bool) else _schema(value)


# What 3.0 says in other words, or what holds schemas itself.
WORDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "type": _type,
    "anyOf": _any_of,
    "const": lambda value: {"enum": [value]},
    "examples": lambda values: {"example": values[0]},
    "exclusiveMinimum": lambda bound: {"minimum": bound, "exclusiveMinimum": True},
    "exclusiveMaximum": lambda bound: {"maximum": bound, "exclusiveMaximum": True},
    "items": lambda value: {"items": _schema(value)},
    "additionalProperties": lambda value: {"additionalProperties": _inside(value)},
    "properties": lambda members: {
        "properties": {name: _schema(schema) for name, schema in members.items()}
    },
    "allOf": lambda parts: {"allOf": [_schema(part) for part in parts]},
    "oneOf": lambda parts: {"oneOf": [_schema(part) for part in parts]},
}
