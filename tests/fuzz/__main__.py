"""`make fuzz`: ten thousand requests that nobody thought of, to a sandbox of its own."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.running import fuzz
from tests.sandboxes import sandbox

CASES = 10_000
MOST_EXAMPLES = 640


def main() -> int:
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "sandbox.jsonl").open("wb") as log,
        sandbox("--exit-with-parent", stderr=log) as running,
    ):
        report = fuzz(running.ready, Path(folder), most_examples=MOST_EXAMPLES)
    if report.test_cases.generated < CASES:
        print(f"Only {report.test_cases.generated} cases: raise MOST_EXAMPLES.")
    elif not report.failures and not report.errors:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
