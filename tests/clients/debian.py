"""Files of Debian packages, without installing any: a plain user gets them as root does."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.clients.running import ROOT, Failed, run

CACHE = ROOT / ".cache" / "debian"


def unpacked(file: str, packages: Sequence[str]) -> Path:
    """The installed file, or that of the packages, below `.cache`."""
    installed, ours = Path("/") / file, CACHE / "root" / file
    if installed.exists():
        return installed
    if not ours.exists():
        _fetch(packages)
    return ours


def _fetch(packages: Sequence[str]) -> None:
    if not shutil.which("apt-get"):
        raise Failed(f"Needed, and this is no Debian to get it from: {', '.join(packages)}")
    fetched = CACHE / "-".join(packages)
    for name in ("lists/partial", "cache/archives/partial", "root", fetched.name):
        (CACHE / name).mkdir(parents=True, exist_ok=True)
    own = [f"Dir::State::Lists={CACHE}/lists", f"Dir::Cache={CACHE}/cache"]
    apt = ["apt-get", "-qq", *(part for option in own for part in ("-o", option))]
    run(*apt, "update")
    run(*apt, "download", *packages, folder=fetched)
    for package in fetched.glob("*.deb"):
        run("dpkg-deb", "--extract", package, CACHE / "root")
    shutil.rmtree(fetched)
