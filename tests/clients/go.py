"""Go: generator `go`, from OpenAPI 3.0.3, with Debian's compiler and no module from outside."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.clients.debian import unpacked
from tests.clients.generating import OLDER, demand_operations, generate, pascal_case
from tests.clients.running import BUILD, EXAMPLES, copy_examples, new_folder, play, run
from tests.sandboxes import Ready

OPTIONS = {
    "packageName": "onboarding",
    "enumClassPrefix": "true",
    "withGoMod": "false",
    # Or an answer with a member that was added later is an error.
    "disallowAdditionalPropertiesIfNotPresent": "false",
}


def check(sandboxes: Sequence[Ready]) -> None:
    folder = new_folder("go")
    generate("go", OLDER, OPTIONS, into=folder / "onboarding")
    demand_operations(
        sorted((folder / "onboarding").glob("api_*.go")),
        lambda name: rf"\nfunc \(a \*\w+\) {pascal_case(name)}Execute\(",
    )
    copy_examples("go", folder, ".go")
    shutil.copy(EXAMPLES / "go" / "go.mod", folder)

    compiler = go()
    environment = {
        "GOROOT": str(compiler.parents[1]),
        "GOCACHE": str(BUILD / "go-cache"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }
    run(compiler, "build", "-o", "journey", ".", folder=folder, environment=environment)
    run(compiler, "vet", "./...", folder=folder, environment=environment)
    play(sandboxes, folder / "journey", folder=folder)


def go() -> Path:
    """The machine's own, or Debian's."""
    installed = shutil.which("go")
    if installed:
        return Path(installed).resolve()
    return unpacked("usr/lib/go-1.19/bin/go", ["golang-1.19-go", "golang-1.19-src"])
