"""An operation of the framework's with its bodies, answers, refusals and security."""

from collections.abc import Mapping
from typing import Any

from app.api_document.links import links_of
from app.api_document.operations import OPERATIONS, Operation
from app.api_document.refusals import REFUSALS

JSON = "application/json"


def completed(generated: Mapping[str, Any], bodies: Mapping[str, Any], examples: Any) -> Any:
    """An operation of the framework's, with its bodies, answers, refusals and security."""
    operation = OPERATIONS[generated["operationId"]]
    kept = {name: value for name, value in generated.items() if name != "responses"}
    parameters = [
        *kept.pop("parameters", []),
        *({"$ref": f"#/components/parameters/{name}"} for name in operation.headers),
    ]
    if parameters:
        kept["parameters"] = parameters
    if operation.body:
        kept["requestBody"] = {
            "required": True,
            "description": operation.body_description,
            "content": _content(operation.body, bodies, examples),
        }
    return kept | {
        "responses": _responses(generated["operationId"], operation, bodies, examples),
        "security": list(operation.security),
    }


def _content(body: str, bodies: Mapping[str, Any], examples: Any) -> Any:
    return {JSON: {"schema": bodies[body], "example": examples[body]}}


def _responses(name: str, operation: Operation, bodies: Mapping[str, Any], examples: Any) -> Any:
    answers = {
        status: {
            "description": answer.description,
            "headers": {
                header: {"$ref": f"#/components/headers/{header}"}
                for header in [*answer.headers, "traceparent"]
            },
        }
        | ({"content": _content(answer.body, bodies, examples)} if answer.body else {})
        | links_of(name, status)
        for status, answer in operation.answers.items()
    }
    refusals = {
        REFUSALS[refusal].status: {"$ref": f"#/components/responses/{refusal}"}
        for refusal in operation.refusals
    }
    return {str(status): body for status, body in sorted((answers | refusals).items())}
