"""Running other people's tools: quiet while they succeed, and in full when they do not."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.sandboxes import Ready

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "clients"
EXAMPLES = ROOT / "examples" / "clients"
NPM_FOLDER = ROOT / "openapi" / "clients"
NPM_MODULES = NPM_FOLDER / "node_modules"


class Failed(Exception):
    """Something that a supplier would stumble over. The text says what was printed."""


def run(
    *command: str | Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    expected: int = 0,
) -> str:
    """What it printed. Anything but the expected end is a failure."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode != expected:
        words = " ".join(str(word) for word in command)
        raise Failed(f"{words[:400]}\nended with {ended.returncode}:\n{ended.stdout[-6000:]}")
    return ended.stdout


def new_folder(name: str) -> Path:
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def copy_examples(language: str, into: Path, suffix: str) -> list[Path]:
    """The snippets as they are shipped."""
    sources = sorted((EXAMPLES / language).glob(f"*{suffix}"))
    return [Path(shutil.copy(source, into)) for source in sources]


def play(sandboxes: Sequence[Ready], *command: str | Path, folder: Path) -> None:
    """The journey, in each of the sandboxes."""
    for ready in sandboxes:
        places = {"BASE": ready.base_url, "ISSUER": ready.issuer, "CONTROLS": ready.control_url}
        run(*command, folder=folder, environment=places)


def java_options() -> Sequence[str]:
    """For programs that are over before the second compiler pays."""
    return ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
