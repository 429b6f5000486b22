"""The controls' own document: the framework's, with the refusals that are really answered."""

from typing import Any

from litestar.openapi import ResponseSpec
from msgspec.json import schema_components

from app.sandbox.controls.refusals import MEDIA_TYPE, FieldError, Refusal

REFERENCE = {"$ref": "#/components/responses/Refused"}
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def answered(kind: Any, description: str) -> ResponseSpec:
    """What a control answers. The framework would make examples by chance, new at each start."""
    return ResponseSpec(kind, description=description, generate_examples=False)


def controls_document(made: dict[str, Any]) -> dict[str, Any]:
    for item in made["paths"].values():
        for operation in item.values():
            _correct(operation["responses"])
    (refusal, _), schemas = schema_components(
        [Refusal, FieldError], ref_template="#/components/schemas/{name}"
    )
    components = made["components"]
    components["schemas"] |= schemas
    components["responses"] = {
        "Refused": {
            "description": "Refused, or not done: `detail` says what to do.",
            "content": {MEDIA_TYPE: {"schema": refusal}},
        }
    }
    made["info"]["license"] = LICENSE
    # They answer on this machine alone, and ask nobody who he is.
    made["security"] = []
    return made


def _correct(responses: dict[str, Any]) -> None:
    responses.pop("400", None)  # the framework's own form
    if "204" in responses:
        responses.pop("200", None)  # of what is passed on, the framework knows no better
    responses |= {"4XX": REFERENCE, "5XX": REFERENCE}
