"""Generates, compiles and plays each language's client in two sandboxes, two at a time.

One sandbox is as usual, the other as strict as neighbours may be.
"""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.clients import breaking, csharp, go, java, python, typescript
from tests.clients.running import BUILD, Failed
from tests.sandboxes import Ready, sandbox

PARTS: dict[str, Callable[[Sequence[Ready]], None]] = {
    "Python": python.check,
    "TypeScript": typescript.check,
    "Java": java.check,
    "Go": go.check,
    "C#": csharp.check,
    "breaking changes": breaking.check,
    "whether breaking changes are seen": breaking.check_the_check,
}
AT_ONCE = 2
STRICT_SEED = "7"


def main() -> int:
    needed = [name for name in ("java", "javac", "node", "npm", "git") if not shutil.which(name)]
    if needed:
        print(f"`make clients` needs {', '.join(needed)}. Debian: openjdk-17-jdk nodejs npm git")
        return 1
    chosen = sys.argv[1:] or list(PARTS)
    python.make_venv()
    with (
        (BUILD / "sandbox.jsonl").open("wb") as log,
        sandbox("--exit-with-parent", stderr=log) as usual,
        sandbox("--exit-with-parent", "--strict", STRICT_SEED, stderr=log) as strict,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        places = [usual.ready, strict.ready]
        results = list(pool.map(lambda name: told(name, places), chosen))
    return 0 if all(results) else 1


def told(name: str, sandboxes: Sequence[Ready]) -> bool:
    started = time.monotonic()
    try:
        PARTS[name](sandboxes)
    except Failed as failed:
        print(f"{name}: FAILED\n{failed}", flush=True)
        return False
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
