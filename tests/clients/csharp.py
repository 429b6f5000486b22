"""C#: generator `csharp`, from OpenAPI 3.0.3. Read by a parser: there is no compiler here."""

from collections.abc import Sequence

from tests.clients.generating import OLDER, demand_operations, generate, pascal_case
from tests.clients.python import INTERPRETER
from tests.clients.running import ROOT, new_folder, run
from tests.sandboxes import Ready

PARSER = ROOT / "tests" / "clients" / "csharp_syntax.py"


def check(_: Sequence[Ready]) -> None:
    folder = new_folder("csharp")
    generate("csharp", OLDER, {"packageName": "HelseId.Onboarding"}, into=folder)
    sources = sorted((folder / "src" / "HelseId.Onboarding").rglob("*.cs"))
    operations = [path for path in sources if path.parent.name == "Api"]
    demand_operations(operations, lambda name: rf" {pascal_case(name)}Async\(")
    run(INTERPRETER, PARSER, *sources)
