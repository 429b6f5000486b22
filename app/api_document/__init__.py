"""The API's document (OpenAPI 3.1): routes from the framework, bodies from msgspec, and the rest.

From it follows the same document in OpenAPI 3.0.3.

It is made here by one command, read in review like code, and served as it lies in the repository:
a running service makes none.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from app.api_document.completing import completed
from app.api_document.components import HEADERS, PARAMETERS, SECURITY_SCHEMES
from app.api_document.normalising import normalise
from app.api_document.older_version import in_3_0
from app.api_document.refusals import refusal_responses
from app.api_document.routes import VERSION, published_paths
from app.api_document.schemas import body_schemas
from app.shipped import shipped

HERE = Path(__file__).parent


def document_path(name: str = "openapi.json") -> Path:
    return shipped("openapi") / name


def write_documents() -> None:
    for name, text in _texts().items():
        document_path(name).write_text(text, encoding="utf-8")


def outdated_documents() -> list[str]:
    """The committed documents that are not what the code makes of itself now."""
    return [name for name, text in _texts().items() if not _is(document_path(name), text)]


def api_document() -> dict[str, Any]:
    texts = tomllib.loads((HERE / "texts.toml").read_text(encoding="utf-8"))
    examples = json.loads((HERE / "examples.json").read_text(encoding="utf-8"))
    bodies, schemas = body_schemas()
    document = {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/", "description": "The service that serves this document."}],
        "tags": [{"name": name, "description": text} for name, text in texts["tags"].items()],
        "paths": {
            path: {
                method: completed(operation, bodies, examples) for method, operation in item.items()
            }
            for path, item in published_paths().items()
        },
        "components": {
            "schemas": schemas,
            "responses": refusal_responses(),
            "headers": dict(HEADERS),
            "parameters": dict(PARAMETERS),
            "securitySchemes": dict(SECURITY_SCHEMES),
        },
    }
    return normalise(document, texts)


def _info() -> dict[str, Any]:
    return {
        "title": "HelseID onboarding",
        "version": VERSION,
        "description": (HERE / "introduction.md").read_text(encoding="utf-8"),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def _texts() -> dict[str, str]:
    document = api_document()
    documents = {"openapi.json": document, "openapi-3.0.json": in_3_0(document)}
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in documents.items()
    }


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
