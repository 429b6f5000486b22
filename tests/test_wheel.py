"""An installed wheel alone: no checkout, another folder, the command by its name."""

import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.sandboxes import END_WITHIN_SECONDS, Ready, clean_environment

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's commands. What we depend on comes from our own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    paths = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    # The folder's own .pth files, that of our checkout among them, do not count there.
    borrowed = Path(paths["purelib"]) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib"))
    commands = Path(paths["scripts"])
    python = commands / Path(sys.executable).name
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, "--python", python, "install", *options, wheel], check=True)
    return commands


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that holds nothing but an `app` of somebody else's."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise RuntimeError('not this one')")
    return tmp_path


@pytest.fixture
def running(installed: Path, elsewhere: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    ready_file = elsewhere / "ready.json"
    process = subprocess.Popen(
        [installed / "onboarding", "sandbox", "--port", "0", "--ready-file", ready_file],
        cwd=elsewhere,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline(), "The sandbox did not start."
        yield process, ready_file
        process.kill()


def test_it_runs_the_sandbox_and_the_demo(
    running: tuple[subprocess.Popen[bytes], Path], installed: Path, elsewhere: Path
) -> None:
    process, ready_file = running
    ready = msgspec.json.decode(ready_file.read_bytes(), type=Ready)
    family = [psutil.Process(ready.pid), *psutil.Process(ready.pid).children(recursive=True)]
    told = subprocess.run(
        [installed / "onboarding", "demo", "--ready-file", ready_file],
        cwd=elsewhere,
        env=clean_environment(PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "That was the whole journey." in told.stdout
    process.send_signal(signal.SIGINT)
    assert process.wait(END_WITHIN_SECONDS) == 0
    assert psutil.wait_procs(family, timeout=1)[1] == []


def test_it_carries_what_is_not_python(installed: Path, elsewhere: Path) -> None:
    shipped = subprocess.run(
        [
            installed / Path(sys.executable).name,
            "-P",
            "-c",
            "import app, app.shipped; print(app.__file__)",
        ],
        cwd=elsewhere,
        check=True,
        capture_output=True,
        text=True,
    )
    package = Path(shipped.stdout.strip()).parent
    assert package.is_relative_to(installed.parent)
    assert list(package.glob("shipped_files/migrations/versions/0001_*.py"))
    documents = {path.name for path in package.glob("shipped_files/openapi/*.json")}
    assert documents == {"openapi.json", "openapi-3.0.json"}
    assert list(package.glob("web/templates/*.html"))
