"""schemathesis as its users run it, with what stands in `schemathesis.toml`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from app.api_document import document_path
from tests.sandboxes import Ready

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
Phases: TypeAlias = Sequence[str]

SEED = 20261122
ALL_PHASES: Phases = ("examples", "coverage", "fuzzing", "stateful")
STORIES: Phases = ("stateful",)
READY_FILE = "FUZZED_SANDBOX"
"""Tells the signer where it finds what a sandbox prints when it is ready."""


class Cases(Struct):
    generated: int


class Outcomes(Struct):
    """Of the requests that the schema allows."""

    accepted: int


class Report(Struct):
    test_cases: Cases
    valid_rates: dict[str, dict[str, Outcomes]]
    failures: Sequence[msgspec.Raw]
    errors: Sequence[msgspec.Raw]

    @property
    def accepted(self) -> set[str]:
        """The operations that did at least once what they are there for."""
        return {
            operation
            for operation, phases in self.valid_rates.items()
            if any(outcomes.accepted for outcomes in phases.values())
        }


def fuzz(
    ready: Ready,
    folder: Path,
    *,
    most_examples: int,
    seed: int = SEED,
    phases: Phases = ALL_PHASES,
) -> Report:
    """With up to so many for each operation, besides the edges of its schemas, which are as many
    as they are."""
    ready_file, report = folder / "ready.json", folder / "report.json"
    ready_file.write_bytes(msgspec.json.encode(ready))
    program = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        HERE / "schemathesis.toml",
    ]
    given = ["--url", ready.base_url, "--max-examples", most_examples, "--no-color"]
    chosen = ["--seed", seed, "--phases", ",".join(phases)]
    told = ["--report", "json", "--report-json-path", report]
    subprocess.run(
        [str(part) for part in (*program, "run", document_path(), *given, *chosen, *told)],
        cwd=ROOT,
        env=os.environ | {READY_FILE: str(ready_file), "PYTHONPATH": str(ROOT)},
        check=False,  # the report tells
    )
    return msgspec.json.decode(report.read_bytes(), type=Report)
