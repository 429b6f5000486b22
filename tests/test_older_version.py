"""The document in OpenAPI 3.0.3: valid, and with nothing lost that 3.0 can say."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from app.api_document import api_document, document_path
from app.api_document.older_version import NotIn30, in_3_0


def with_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "", "license": {"name": "", "identifier": "Apache-2.0"}},
        "components": {"schemas": {"One": schema}},
    }


def converted(schema: Mapping[str, Any]) -> Any:
    return in_3_0(with_schema(schema))["components"]["schemas"]["One"]


def test_both_documents_are_valid() -> None:
    newer = json.loads(document_path("openapi.json").read_text("utf-8"))
    older = json.loads(document_path("openapi-3.0.json").read_text("utf-8"))
    assert (newer["openapi"], older["openapi"]) == ("3.1.0", "3.0.3")
    assert list(OpenAPIV31SpecValidator(newer).iter_errors()) == []
    assert list(OpenAPIV30SpecValidator(older).iter_errors()) == []
    assert list(OpenAPIV30SpecValidator({**newer, "openapi": "3.0.3"}).iter_errors())


def test_every_operation_and_every_component_is_in_both() -> None:
    newer = api_document()
    older = in_3_0(newer)
    assert set(older["paths"]) == set(newer["paths"])
    for path, item in newer["paths"].items():
        for method, operation in item.items():
            said = older["paths"][path][method]
            assert set(said) == set(operation)
            assert set(said["responses"]) == set(operation["responses"])
            assert len(said.get("parameters", [])) == len(operation.get("parameters", []))
    for kind, components in newer["components"].items():
        assert set(older["components"][kind]) == set(components)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"type": ["string", "null"], "enum": ["a"]},
            {"type": "string", "nullable": True, "enum": ["a", None]},
        ),
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        (
            {"type": "string", "examples": ["a", "b"]},
            {"type": "string", "example": "a"},
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        ),
        ({"type": "string", "contentMediaType": "application/json"}, {"type": "string"}),
        ({"$ref": "#/a"}, {"$ref": "#/a"}),
        (
            {"$ref": "#/a", "description": "Said of this one."},
            {"allOf": [{"$ref": "#/a"}], "description": "Said of this one."},
        ),
        (
            {"anyOf": [{"$ref": "#/a"}, {"type": "null"}]},
            {"allOf": [{"$ref": "#/a"}], "nullable": True},
        ),
        (
            {"type": "array", "items": {"type": ["string", "null"]}},
            {"type": "array", "items": {"type": "string", "nullable": True}},
        ),
        (
            # Names of members, although they look like words of the language.
            {"type": "object", "properties": {"const": {"type": "string"}}},
            {"type": "object", "properties": {"const": {"type": "string"}}},
        ),
        (
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            {"type": "object", "additionalProperties": {"type": "string", "nullable": True}},
        ),
    ],
)
def test_a_schema_is_said_in_the_words_of_3_0(newer: Any, older: Any) -> None:
    assert converted(newer) == older


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "null"},
        {"type": ["string", "integer"]},
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"type": "object", "patternProperties": {"^a": {"type": "string"}}},
    ],
)
def test_what_3_0_cannot_say_is_refused(schema: Any) -> None:
    with pytest.raises(NotIn30):
        converted(schema)
    with pytest.raises(NotIn30):
        in_3_0({**with_schema({}), "webhooks": {}})
