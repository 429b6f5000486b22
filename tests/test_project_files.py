"""What the repository's files promise."""

import ast
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CONTRIBUTING.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "app",
    "examples",
    "migrations",
    "openapi",
    "pyproject.toml",
    "requirements.lock",
    "tests",
}
TARGETS_OF_PEOPLE = ["sandbox", "demo", "test", "check", "clients", "fuzz", "openapi"]
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


def committed_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def python_files() -> list[Path]:
    return [path for room in ("app", "migrations", "tests") for path in (ROOT / room).rglob("*.py")]


def test_the_top_level_holds_nothing_else() -> None:
    assert {name.split("/")[0] for name in committed_files()} <= TOP_LEVEL


def test_no_route_and_no_page_begins_a_transaction() -> None:
    """Use cases do, so that whoever reads one sees all that is committed together."""
    beginning = re.compile(r"\b(sessions|db)\.begin\(\)")
    handlers = {*(ROOT / "app").glob("*/*routes.py"), *(ROOT / "app").glob("*/*pages.py")}
    assert len(handlers) > 10
    assert not [path for path in handlers if beginning.search(path.read_text("utf-8"))]


def test_the_lock_names_no_address_and_no_machine() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"(^|\s)/\w", lock)
    for entry in re.split(r"\n(?=\w)", lock.partition("\nalembic")[2]):
        assert "--hash=sha256:" in entry


def test_the_lock_of_the_clients_names_no_address_either() -> None:
    lock = (ROOT / "openapi" / "clients" / "requirements.lock").read_text()
    assert "://" not in lock
    for entry in re.split(r"\n(?=\w)", lock.partition("\nannotated")[2]):
        assert "--hash=sha256:" in entry


def test_what_is_needed_is_in_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    for name in ("litestar", "sqlalchemy", "alembic", "asyncpg", "msgspec", "joserfc", "hatchling"):
        assert re.search(rf"^{name}==", lock, re.MULTILINE), name


@pytest.mark.parametrize("lock", sorted((ROOT / "openapi").rglob("package-lock.json")))
def test_npm_locks_name_no_address(lock: Path) -> None:
    assert "node_modules" in lock.parts or "://" not in lock.read_text()


@pytest.mark.parametrize("target", TARGETS_OF_PEOPLE)
def test_each_target_installs_what_it_needs(target: str) -> None:
    assert re.search(rf"^{target}: install$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_ci_is_a_script_that_can_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text()
    assert "set -euo pipefail" in text
    assert "exec </dev/null" in text
    # pytest's closing line is the last that is printed.
    assert text.rstrip().splitlines()[-1].endswith("make test")


def test_the_image_is_built_in_stages_and_runs_without_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(stages) == 2
    # A registry's host has a dot or a port before the first slash.
    assert all("/" not in image for image in stages)
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)
    assert 'ENTRYPOINT ["onboarding"]' in last
    assert "--require-hashes" in text
    assert "RUN" not in last, "What is written at the start would need a writable file system."


def test_a_wheel_carries_what_is_not_python(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert "app/shipped_files/migrations/env.py" in held
    for file in committed_files():
        if file.startswith("app/"):
            assert file in held
        elif file.startswith("migrations/") or re.fullmatch(r"openapi/[^/]+\.json", file):
            assert f"app/shipped_files/{file}" in held
    assert not any("node_modules" in name or name.startswith("tests") for name in held)


def too_long(path: Path) -> Iterator[str]:
    text = path.read_text()
    if len(text.splitlines()) > LONGEST_FILE:
        yield str(path.relative_to(ROOT))
    nodes = ast.walk(ast.parse(text))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION:
            yield f"{path.relative_to(ROOT)}: {function.name}"


def test_files_and_functions_are_short() -> None:
    assert [name for path in (ROOT / "app").rglob("*.py") for name in too_long(path)] == []


def test_annotations_are_there_at_run_time() -> None:
    """Litestar and msgspec read them."""
    wrong = re.compile(r"^from __future__ |^from typing import .*\bTYPE_CHECKING\b", re.MULTILINE)
    assert [path for path in python_files() if wrong.search(path.read_text())] == []
