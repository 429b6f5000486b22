"""`make fuzz`: ten thousand requests that nobody thought of, to a sandbox of its own."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.running import ALL_PHASES, SEED, STORIES, Phases, fuzz
from tests.sandboxes import Ready, sandbox

CASES = 10_000
MOST_EXAMPLES = 300


def main() -> int:
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "sandbox.jsonl").open("wb") as log,
        sandbox("--exit-with-parent", stderr=log) as running,
    ):
        return 0 if no_fault(running.ready, Path(folder)) else 1


def no_fault(ready: Ready, folder: Path) -> bool:
    """Single requests, then stories along the links for as long as it takes.

    schemathesis ends its stories when the service answers one differently the second time, as one
    with a memory does. So they are told again from the next seed.
    """
    phases: Phases = ALL_PHASES
    seed, generated = SEED, 0
    while generated < CASES:
        report = fuzz(ready, folder, most_examples=MOST_EXAMPLES, seed=seed, phases=phases)
        if report.failures or report.errors:
            return False
        generated += report.test_cases.generated
        seed, phases = seed + 1, STORIES
    print(f"{generated} cases, seeds {SEED} to {seed - 1}: no fault.")
    return True


if __name__ == "__main__":
    sys.exit(main())
