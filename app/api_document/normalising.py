"""Where the framework's schemas are put right, and nowhere else.

Generators of clients want null as a type beside another, enumerations with a name, values that
may grow as open strings, whole bounds on integers, and no noise.
"""

from collections.abc import Mapping
from typing import Any

# Enumerations that HelseID has not closed: a client must bear a new value.
OPEN = (
    "Activation",
    "ActivationStatus",
    "Actor",
    "Binding",
    "KeyState",
    "Mark",
    "Policy",
    "ReasonCode",
    "RightKind",
    "Source",
    "State",
    "Unusable",
    "StepCode",
    "StepStatus",
)
# Enumerations that stand in a property, by the schema and the property: the name they get.
NAMED = {("ClientStatusAnswer", "status"): "LegacyStatus"}
REFERENCE = "#/components/schemas/"
NOISE: Mapping[str, Any] = {
    "allowEmptyValue": False,
    "allowReserved": False,
    "deprecated": False,
}


def normalise(document: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is published, in a stable order. `texts` describe its schemas."""
    schemas = dict(document["components"]["schemas"])
    opened = {name: schemas.pop(name) for name in OPEN if name in schemas}
    published: dict[str, Any] = {}
    for name, schema in schemas.items():
        published[name] = _schema(name, schema, opened, published)
    for name, schema in published.items():
        schema["description"] = texts["schemas"][name].strip()
        for member, described in schema.get("properties", {}).items():
            _describe(described, texts[name][member])
            if texts[name][member].get("required"):
                schema.setdefault("required", []).append(member)
    components = {**document["components"], "schemas": dict(sorted(published.items()))}
    return {
        **document,
        "paths": {path: _tidy(item) for path, item in document["paths"].items()},
        "components": components,
    }


def _schema(
    name: str, schema: dict[str, Any], opened: Mapping[str, Any], published: dict[str, Any]
) -> dict[str, Any]:
    """A component as a generator wants it. Enumerations found inside go to `published`."""
    if "enum" in schema:
        return {"type": "string", "enum": schema["enum"]}
    properties = {}
    for member, inner in schema["properties"].items():
        if "enum" in inner:
            named = NAMED[name, member]
            published[named] = {"type": "string", "enum": inner["enum"]}
            inner = {"$ref": f"{REFERENCE}{named}"}
        properties[member] = _plain(inner, opened)
    whole: dict[str, Any] = {"type": "object", "properties": properties}
    return whole | ({"required": schema["required"]} if schema["required"] else {})


def _plain(schema: dict[str, Any], opened: Mapping[str, Any]) -> dict[str, Any]:
    """A property's schema, without a union with null."""
    choices = schema.get("anyOf")
    if choices is None:
        return _opened(_own_parts(schema), opened)
    (inner,) = [choice for choice in choices if choice != {"type": "null"}]
    if "enum" in inner:
        inner = {"type": "string", "known": inner["enum"]}
    plain = _opened(_own_parts(inner), opened)
    return {**plain, "type": [plain["type"], "null"]}


def _opened(schema: dict[str, Any], opened: Mapping[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix(REFERENCE)
    if name in opened:
        return {"type": "string", "known": opened[name]["enum"]}
    return schema


def _own_parts(schema: dict[str, Any]) -> dict[str, Any]:
    """Titles repeat names, and the defaults are null and empty lists: both mean nothing more."""
    return {name: part for name, part in schema.items() if name not in ("title", "default")}


def _describe(schema: dict[str, Any], text: Mapping[str, Any]) -> None:
    """Words and formats, into the schema of a property or beside its reference."""
    known = schema.pop("known", None)
    schema.update({name: part for name, part in text.items() if name not in ("items", "required")})
    schema["description"] = text["description"].strip()
    if known:
        values = ", ".join(f"`{value}`" for value in known)
        schema["description"] += f" More values may come. Known: {values}."
    if "items" in text:
        schema["items"].update(text["items"])


def _tidy(part: Any) -> Any:
    """Without what says nothing, and with integers that are whole."""
    if isinstance(part, list):
        return [_tidy(inner) for inner in part]
    if not isinstance(part, dict):
        return int(part) if isinstance(part, float) and part.is_integer() else part
    tidy = {
        name: inner if name in ("example", "value") else _tidy(inner)
        for name, inner in part.items()
        if not (name in NOISE and inner == NOISE[name])
    }
    if tidy.get("type") == "integer":
        tidy.setdefault("format", "int32")
    # A parameter's text is said once, not also in its schema.
    if "in" in tidy and "schema" in tidy and "$ref" not in tidy["schema"]:
        tidy["schema"] = {k: v for k, v in tidy["schema"].items() if k != "description"}
    return tidy
