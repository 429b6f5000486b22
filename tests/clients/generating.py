"""OpenAPI Generator, and whether what it made is whole: it exits with 0 when it is not."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.clients.running import BUILD, ROOT, Failed, java_options, run

NEWER = ROOT / "openapi" / "openapi.json"
OLDER = ROOT / "openapi" / "openapi-3.0.json"

# What it warns of that takes nothing from a client.
HARMLESS = (
    # The snippets add the proof, because no generator knows how.
    "Unknown scheme `DPoP` found",
    "OpenAPI 3.1 support is still in beta",
    # Of its own documentation pages.
    "Ignoring complex example on request body",
    # An answer that is a list has a name in the list only.
    "Failed to get the schema name: null",
)


def generate(
    language: str, document: Path, options: Mapping[str, str], *more: str, into: Path
) -> None:
    jar = generator_jar()
    said = run(
        "java",
        *java_options(),
        "-jar",
        jar,
        "generate",
        "--generator-name",
        language,
        "--input-spec",
        document,
        "--output",
        into,
        "--global-property",
        "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
        "--additional-properties",
        ",".join(f"{name}={value}" for name, value in options.items()),
        *more,
    )
    warnings = [line for line in said.splitlines() if re.search(r"\b(WARN|ERROR)\b", line)]
    unknown = [line for line in warnings if not any(known in line for known in HARMLESS)]
    if unknown or "FILEPATH_COLLISION" in said:
        raise Failed(f"The generator for {language} warned:\n" + "\n".join(unknown or [said]))


def generator_jar() -> Path:
    [jar] = BUILD.glob("venv/lib/python*/site-packages/openapi_generator_cli/*.jar")
    return jar


def operations(document: Path = NEWER) -> Iterator[tuple[str, str]]:
    """The name and the tag of each."""
    for item in json.loads(document.read_text("utf-8"))["paths"].values():
        for operation in item.values():
            yield operation["operationId"], operation["tags"][0]


def demand_operations(sources: list[Path], pattern: Callable[[str], str]) -> None:
    """Each operation has its method among what was generated."""
    text = "\n".join(path.read_text("utf-8") for path in sources)
    missing = [name for name, _ in operations() if not re.search(pattern(name), text)]
    if missing:
        raise Failed(f"Generated without: {', '.join(missing)}")


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def pascal_case(name: str) -> str:
    return name[0].upper() + name[1:]
