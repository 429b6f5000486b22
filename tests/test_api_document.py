"""The published document: what it says is so, all of it is said, and it is the committed one."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from litestar import Litestar, Router

import app
from app.access.public_jwk import acceptable_jwk
from app.api_document import (
    api_document,
    document_path,
    outdated_documents,
    write_documents,
)
from app.api_document.operations import OPERATIONS
from app.api_document.refusals import REFUSALS
from app.api_document.schemas import BODIES
from app.main import API
from app.problems import Problem
from app.web.problem_details import ProblemDetails

# Answered before there is an operation, or never to a caller of the API.
NOT_OF_OPERATIONS = {
    "not-found",
    "method-not-allowed",
    # Pages:
    "draft-expired",
    "form-refused",
    "not-from-own-page",
    # Commands:
    "api-key-revoked",
    "no-such-client",
    "nothing-to-decide",
    "unknown-api-key",
}
EXAMPLES = json.loads(
    (Path(app.__file__).parent / "api_document" / "examples.json").read_text("utf-8")
)
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return api_document()


def all_problems() -> set[type[Problem]]:
    """Every refusal that the service can raise. The stand-ins refuse in words of their own."""
    for module in walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__") and not module.name.startswith("app.sandbox"):
            import_module(module.name)
    found: set[type[Problem]] = set()
    left = [Problem]
    while left:
        kinds = left.pop().__subclasses__()
        left += kinds
        found.update(kinds)
    return {kind for kind in found if kind.__module__.startswith("app.")}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        name = part["$ref"].split("/")
        part = document["components"][name[2]][name[3]]
    return part


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document, except inside examples."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in ("example", "examples"):
                yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, _, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [resolved(document, answer) for answer in operation["responses"].values()]
        for body in bodies:
            for content in body.get("content", {}).values():
                yield operation["operationId"], content


def test_the_committed_documents_are_what_the_code_makes() -> None:
    assert outdated_documents() == [], "Run `make openapi`, and read the difference."


@pytest.mark.parametrize("name", ["openapi.json", "openapi-3.0.json"])
def test_a_changed_document_is_noticed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = document_path(name).read_text()
    monkeypatch.setattr("app.api_document.shipped", lambda _: tmp_path)
    assert outdated_documents() == ["openapi.json", "openapi-3.0.json"]
    write_documents()
    assert outdated_documents() == []
    (tmp_path / name).write_text(committed.replace("kid", "kit"))
    assert outdated_documents() == [name]


def test_published_operations_are_the_routes(document: dict[str, Any]) -> None:
    router = Litestar([Router("/v1", route_handlers=API)], openapi_config=None)
    served = {
        (route.path_format, method.lower())
        for route in router.routes
        for method in getattr(route, "methods", [])
        if method != "OPTIONS"
    }
    assert {(path, method) for path, method, _ in operations(document)} == served
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == sorted(OPERATIONS)


def test_every_operation_is_told_of(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        assert set(operation["tags"]) <= tags
        assert len(operation["tags"]) == 1
        for parameter in operation.get("parameters", []):
            told = resolved(document, parameter)
            assert told["description"]
            assert told["schema"]["type"] != ["string", "null"]


def test_bodies_and_refusals_are_named_with_their_headers(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            answer = resolved(document, response)
            assert answer["description"]
            assert "traceparent" in answer["headers"]
            if status.startswith(("4", "5")):
                (media_type,) = answer["content"]
                assert media_type == "application/problem+json"
                assert answer["content"][media_type]["schema"]["$ref"].endswith("/ProblemDetails")
            wanted = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
            assert wanted.get(status, "traceparent") in answer["headers"]


def test_every_reference_leads_somewhere_and_every_component_is_used(
    document: dict[str, Any],
) -> None:
    referred = {part["$ref"] for part in parts(document) if "$ref" in part}
    named = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        if kind != "securitySchemes"
        for name in components
    }
    assert referred == named
    used = {name for _, _, one in operations(document) for way in one["security"] for name in way}
    assert used == set(document["components"]["securitySchemes"])


def test_schemas_have_the_shape_that_generators_want(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert schema["description"], name
        Draft202012Validator.check_schema(schema)
        for member, described in schema.get("properties", {}).items():
            assert described["description"], (name, member)
            assert "enum" not in described, (name, member)
        for part in parts(schema):
            # A property may be called `title`; as a schema's own member it would be text.
            for noise in ("anyOf", "oneOf", "known", "title", "default"):
                assert isinstance(part.get(noise, {}), dict), (name, noise)
            if part.get("type") == "integer":
                assert part["format"] in ("int32", "int64")


def test_no_body_has_the_name_of_a_generated_class(document: dict[str, Any]) -> None:
    """Generators make `ClientApi` of the tag `Client`, in the same package as the bodies."""
    classes = {f"{tag['name']}Api" for tag in document["tags"]}
    assert not classes & set(document["components"]["schemas"])


def test_no_body_is_just_anything(document: dict[str, Any]) -> None:
    """What has no type becomes `Any`, `Object` or `interface{}` in somebody's program."""
    contents_of = [content["schema"] for _, content in contents(document)]
    for schema in [*contents_of, *parts(document["components"]["schemas"])]:
        kinds = schema.get("type", [])
        if "object" in kinds and isinstance(kinds, str | list):
            assert "properties" in schema or isinstance(schema.get("additionalProperties"), dict)
        if "array" in kinds and isinstance(kinds, str | list):
            assert "items" in schema
    for name, component in document["components"]["schemas"].items():
        for member, described in component.get("properties", {}).items():
            assert "$ref" in described or "type" in described, (name, member)


@pytest.mark.parametrize("name", ["ScopeStatus", "ClaimStatus", "CurrentClient", "ClientSecret"])
def test_what_is_always_sent_is_required(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]
    # An object is left out where others are null: generators want it so.
    assert set(schema["required"]) == set(schema["properties"]) - {"renewalWindow"}


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for operation, content in contents(document):
        schema = content["schema"] | {"components": document["components"]}
        examples = [content["example"]] if "example" in content else []
        examples += [example["value"] for example in content.get("examples", {}).values()]
        assert examples, operation
        for example in examples:
            Draft202012Validator(schema).validate(example)
            checked += 1
    assert checked > len(OPERATIONS)


@pytest.mark.parametrize("name", sorted(set(BODIES) - {"ProblemDetails"}))
def test_every_example_is_read_by_the_code(name: str) -> None:
    msgspec.convert(EXAMPLES[name], BODIES[name])


def test_the_keys_of_the_examples_are_acceptable() -> None:
    first = acceptable_jwk(json.loads(EXAMPLES["NewClientDraft"]["publicJwk"]), pointer="#")
    second = acceptable_jwk(EXAMPLES["PublicJwk"], pointer="#")
    listed = {key["jwkThumbprint"]: key["kid"] for key in EXAMPLES["ClientSecrets"]}
    assert listed == {first.thumbprint: first.kid, second.thumbprint: second.kid}
    assert EXAMPLES["ClientSecretCreated"]["jwkThumbprint"] == second.thumbprint


def test_every_problem_stands_where_it_can_occur() -> None:
    documented = {problem.slug for refusal in REFUSALS.values() for problem in refusal.examples}
    slugs = {kind.slug for kind in all_problems()}
    assert documented | NOT_OF_OPERATIONS == slugs
    assert not documented & NOT_OF_OPERATIONS


def test_a_refusal_has_one_status() -> None:
    for name, refusal in REFUSALS.items():
        assert {int(each.status) for each in refusal.examples} == {refusal.status}, name


def test_an_operation_has_one_refusal_for_each_status() -> None:
    for name, operation in OPERATIONS.items():
        statuses = [REFUSALS[refusal].status for refusal in operation.refusals]
        assert len(statuses) == len(set(statuses)), name


def test_a_problem_of_the_document_is_one_that_is_sent(document: dict[str, Any]) -> None:
    for response in document["components"]["responses"].values():
        for example in response["content"]["application/problem+json"]["examples"].values():
            details = msgspec.convert(example["value"], ProblemDetails)
            assert msgspec.to_builtins(details) == example["value"]
