"""TypeScript: openapi-typescript and openapi-fetch, from OpenAPI 3.1."""

import shutil
from collections.abc import Sequence

from tests.clients.generating import NEWER, demand_operations
from tests.clients.running import EXAMPLES, NPM_MODULES, copy_examples, new_folder, play, run
from tests.sandboxes import Ready


def check(sandboxes: Sequence[Ready]) -> None:
    folder = new_folder("typescript")
    (folder / "node_modules").symlink_to(NPM_MODULES)
    programs = NPM_MODULES / ".bin"
    schema = folder / "schema.d.ts"
    run(programs / "openapi-typescript", NEWER, "--output", schema, folder=folder)
    demand_operations([schema], lambda name: rf"\n    {name}: {{")
    copy_examples("typescript", folder, ".ts")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(EXAMPLES / "typescript" / name, folder)
    run(programs / "tsc", folder=folder)
    play(sandboxes, "node", "built/journey.js", folder=folder)
