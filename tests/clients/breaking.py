"""Whether a change of the document breaks clients that were made of an earlier one.

Specmatic judges requests and answers. Names that mean nothing on the wire, but are a method, a
class or an argument in somebody's code, are compared here.
"""

import json
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.clients.generating import NEWER
from tests.clients.running import NPM_MODULES, ROOT, Failed, java_options, run
from tests.sandboxes import Ready

LANDED = ROOT / "openapi" / "landed" / "openapi.json"
ALLOWED = ROOT / "openapi" / "landed" / "allowed.toml"
SPECMATIC = NPM_MODULES / "specmatic" / "specmatic.jar"
VERDICT = re.compile(
    r"^\[Compatibility Check\] Executing \d+ scenarios? for (?P<operation>\S+ \S+) "
    r"|^\[Compatibility Check\] Verdict: (?P<verdict>PASS|FAIL)$",
    re.MULTILINE,
)


def check(_: Sequence[Ready]) -> None:
    document = json.loads(NEWER.read_text("utf-8"))
    earlier = [json.loads(LANDED.read_text("utf-8")), *last_change()]
    found = {what for base in earlier for what in breaks(base, document)}
    entries = tomllib.loads(ALLOWED.read_text("utf-8"))["allowed"]
    allowed = {what for entry in entries if entry["why"] for what in entry["what"]}
    if found - allowed:
        raise Failed(
            "This breaks clients:\n"
            + "\n".join(f"  {what}" for what in sorted(found - allowed))
            + f"\nTake it back, or write it in {ALLOWED.relative_to(ROOT)} with the reason."
        )


def check_the_check(_: Sequence[Ready]) -> None:
    """What Specmatic is trusted with is done on purpose, and has to be seen."""
    document = json.loads(NEWER.read_text("utf-8"))
    changed = deepcopy(document)
    schemas = changed["components"]["schemas"]
    del schemas["ScopeStatus"]["properties"]["status"]
    schemas["ScopeStatus"]["required"].remove("status")
    schemas["NewClientDraft"]["properties"]["newMember"] = {"type": "string"}
    schemas["NewClientDraft"]["required"].append("newMember")
    seen = breaks_on_the_wire(document, changed)
    if seen != {"GET /v1/client", "PUT /v1/client", "POST /v1/client-drafts"}:
        raise Failed(f"A removed and a new required member were done on purpose. Seen: {seen}")

    changed = deepcopy(document)
    schemas = changed["components"]["schemas"]
    schemas["ScopeStatus"]["properties"]["newMember"] = {"type": "string"}
    schemas["NewClientDraft"]["properties"]["newMember"] = {"type": ["string", "null"]}
    if seen := breaks(document, changed):
        raise Failed(f"New members break nobody, but this was said: {seen}")


def breaks(base: Any, document: Any) -> set[str]:
    return lost_names(base, document) | breaks_on_the_wire(base, document)


def lost_names(base: Any, document: Any) -> set[str]:
    return set(names(base)) - set(names(document))


def names(document: Any) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            yield f"{name}: {method.upper()} {path}"
            yield f"{name} in {operation['tags'][0]}"
            for parameter in operation.get("parameters", []):
                told = resolved(document, parameter)
                yield f"{name} takes {told['name']} in {told['in']}"
    for name, schema in document["components"]["schemas"].items():
        yield f"schema {name}"
        for member in schema.get("properties", {}):
            yield f"{name}.{member}"


def resolved(document: Any, part: Any) -> Any:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return document["components"][kind][name]


def breaks_on_the_wire(base: Any, document: Any) -> set[str]:
    """The operations that Specmatic finds broken."""
    if base == document:
        return set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "openapi.json").write_text(readable(base), encoding="utf-8")
        git = ["git", "-c", "user.name=base", "-c", "user.email=base", "-C", name]
        run(*git, "init", "--quiet", "--initial-branch", "base")
        run(*git, "add", ".")
        run(*git, "commit", "--quiet", "--message", "base")
        (folder / "openapi.json").write_text(readable(document), encoding="utf-8")
        return failed_operations(folder)


def failed_operations(folder: Path) -> set[str]:
    specmatic = ["java", *java_options(), "-jar", str(SPECMATIC), "backward-compatibility-check"]
    ended = subprocess.run(
        [*specmatic, "--base-branch", "base", "--target-path", "openapi.json"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    operation, failed = "", set()
    for found in VERDICT.finditer(ended.stdout):
        operation = found["operation"] or operation
        if found["verdict"] == "FAIL":
            # It writes a path's parameters as `(name:type)`.
            failed.add(re.sub(r"\((\w+):\w+\)", r"{\1}", operation))
    if (ended.returncode != 0) != bool(failed):
        raise Failed(f"Specmatic ended with {ended.returncode}:\n{ended.stdout[-4000:]}")
    return failed


def readable(document: Any) -> str:
    """Specmatic knows no DPoP."""
    schemes = document["components"]["securitySchemes"] | {
        "dpop": {"type": "http", "scheme": "bearer"}
    }
    components = document["components"] | {"securitySchemes": schemes}
    return json.dumps(document | {"components": components})


def last_change() -> Iterator[Any]:
    """The document before its last change, where the clone has a history that long."""
    if not shutil.which("git"):
        return
    log = ["git", "log", "--first-parent", "--format=%H", "--max-count=2"]
    listed = subprocess.run(
        [*log, "--", str(NEWER)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for commit in listed.stdout.split():
        shown = run("git", "show", f"{commit}:{NEWER.relative_to(ROOT)}")
        if shown != NEWER.read_text("utf-8"):
            yield json.loads(shown)
            return
