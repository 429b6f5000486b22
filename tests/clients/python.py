"""Python: generator `python`, from OpenAPI 3.1."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.clients.generating import NEWER, demand_operations, generate, snake_case
from tests.clients.running import BUILD, ROOT, copy_examples, new_folder, play, run
from tests.sandboxes import Ready

VENV = BUILD / "venv"
INTERPRETER = VENV / "bin" / "python"


def check(sandboxes: Sequence[Ready]) -> None:
    folder = new_folder("python")
    generate("python", NEWER, {"packageName": "helseid_onboarding"}, into=folder)
    demand_operations(
        sorted(folder.glob("helseid_onboarding/api/*_api.py")),
        lambda name: rf"\n    def {snake_case(name)}\(",
    )
    examples = copy_examples("python", folder, ".py")
    check_types(folder, examples)
    play(sandboxes, INTERPRETER, "-W", "error", "journey.py", folder=folder)


def check_types(folder: Path, examples: list[Path]) -> None:
    mypy = [sys.executable, "-m", "mypy", "--config-file", "", "--cache-dir", str(BUILD / "mypy")]
    mypy += ["--python-executable", str(INTERPRETER)]
    run(*mypy, "-p", "helseid_onboarding", folder=folder)
    run(*mypy, "--strict", "--follow-imports", "silent", *examples, folder=folder)


def make_venv() -> None:
    """A place of its own: what a generated client needs is nothing that the service has."""
    lock = ROOT / "openapi" / "clients" / "requirements.lock"
    if not INTERPRETER.exists():
        run(sys.executable, "-m", "venv", VENV)
    installed = VENV / "installed"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        pip = [str(INTERPRETER), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "--require-hashes", "--requirement", lock)
        installed.write_bytes(lock.read_bytes())
