"""Our own rules for the published document: each of them is broken here, and says so."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.api_document import api_document
from app.api_document.older_version import in_3_0

ROOT = Path(__file__).parent.parent
LINT = ROOT / "openapi" / "lint"

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ,
    reason="There is no npm here. CI has it, and lints.",
)


def findings(document: Any, folder: Path) -> set[str]:
    """The names of the rules that the document breaks."""
    subprocess.run(["make", "lint-tools"], cwd=ROOT, check=True, capture_output=True)
    path = folder / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    spectral = str(LINT / "node_modules" / ".bin" / "spectral")
    ruleset = str(LINT / "spectral.yaml")
    said = subprocess.run(
        [spectral, "lint", "--quiet", "--format", "json", "--ruleset", ruleset, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    return {finding["code"] for finding in json.loads(said.stdout)}


def drafts(document: Any) -> Any:
    return document["paths"]["/v1/client-drafts"]["post"]


def client(document: Any) -> Any:
    return document["paths"]["/v1/client"]["get"]


def responses(document: Any) -> Any:
    return document["components"]["responses"]


def properties(document: Any, schema: str) -> Any:
    return document["components"]["schemas"][schema]["properties"]


def parameters(document: Any) -> Any:
    return document["components"]["parameters"]


WEBHOOK = {
    "post": {
        "operationId": "tellClientChanged",
        "tags": ["Client"],
        "description": "Something changed.",
        "responses": {"204": {"description": "Heard."}},
    }
}

BREAKS: dict[str, Callable[[Any], object]] = {
    "operation-id-is-camel-case": lambda it: drafts(it).update(operationId="Create_Draft"),
    "operation-has-one-tag": lambda it: drafts(it).update(tags=["ClientDrafts", "Client"]),
    "operation-tag-defined": lambda it: it["tags"].pop(),
    "operation-operationId-unique": lambda it: it["paths"]["/v1/client"]["put"].update(
        operationId="getClientSecrets"
    ),
    "webhooks-have-a-tag-of-their-own": lambda it: it.update(webhooks={"changed": WEBHOOK}),
    "operations-leave-the-tag-of-webhooks-alone": lambda it: client(it)["tags"].append("webhooks"),
    "refusal-is-a-problem": lambda it: responses(it)["Forbidden"]["content"].update(
        {"application/json": {"schema": {"type": "object"}, "example": {}}}
    ),
    "refusal-has-the-one-schema": lambda it: responses(it)["KeyTaken"]["content"][
        "application/problem+json"
    ].update(schema={"type": "object"}),
    "refusal-for-now-says-for-how-long": lambda it: responses(it)["TooManyRequests"]["headers"].pop(
        "Retry-After"
    ),
    "unauthorized-says-how-to-authenticate": lambda it: responses(it)["ApiKeyRejected"][
        "headers"
    ].pop("WWW-Authenticate"),
    "refusals-have-headers": lambda it: responses(it)["Unavailable"].pop("headers"),
    "null-is-a-type-beside-another": lambda it: properties(it, "ScopeStatus").update(
        a={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "enumeration-has-a-name": lambda it: properties(it, "ScopeStatus").update(
        b={"type": "string", "enum": ["one"]}
    ),
    "parameter-is-never-null": lambda it: parameters(it)["ifMatch"].update(
        schema={"type": ["string", "null"]}
    ),
    "body-has-an-example": lambda it: drafts(it)["requestBody"]["content"]["application/json"].pop(
        "example"
    ),
    "list-in-a-request-has-a-limit": lambda it: properties(it, "ClientUpdate")["apiScopes"].pop(
        "maxItems"
    ),
}


def test_every_rule_of_ours_is_broken_here() -> None:
    ours = re.findall(r"^  ([a-z-]+):$", (LINT / "spectral.yaml").read_text("utf-8"), re.MULTILINE)
    assert set(ours) <= set(BREAKS)


def test_a_document_that_breaks_every_rule_breaks_each_of_them(tmp_path: Path) -> None:
    document = api_document()
    for broken in BREAKS.values():
        broken(document)
    assert set(BREAKS) <= findings(document, tmp_path)


def test_the_older_document_is_held_to_the_same_rules(tmp_path: Path) -> None:
    document = in_3_0(api_document())
    properties(document, "ScopeStatus").update(b={"type": "string", "enum": ["one"]})
    parameters(document)["ifMatch"].update(schema={"type": "string", "nullable": True})
    assert findings(document, tmp_path) == {"enumeration-has-a-name", "parameter-is-never-null"}
