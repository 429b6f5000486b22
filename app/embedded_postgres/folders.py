"""The temporary folder of one PostgreSQL, and sweeping those whose keeper is dead.

A keeper holds a lock on a file in its folder for as long as it lives: process numbers are used
again, locks are not.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.embedded_postgres.account import Account

PREFIX = "onboarding-postgres-"
LOCK = "keeper.lock"
# A socket's path has room for 103 bytes on macOS, 107 on Linux.
LONGEST_SOCKET_FOLDER = 80
YOUNG_SECONDS = 60
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the name below it is made by mkdtemp
MEMORY_NEEDED = 2 << 30


def new_folder(account: Account, *, durable: bool) -> tuple[Path, IO[bytes]]:
    """A folder that PostgreSQL can reach, and the lock on it."""
    candidates = places() if durable else (*memory(), *places())
    parent = next((place for place in candidates if _fits(place, account)), None)
    if parent is None:
        raise FileNotFoundError("There is no temporary folder that PostgreSQL can use.")
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    if account.uid is not None:
        folder.chmod(0o711)
    unlocked = folder / f"{LOCK}.new"
    lock = unlocked.open("wb")
    lock_or_fail(lock)
    unlocked.rename(folder / LOCK)
    for name in ("data", "socket"):
        (folder / name).mkdir(mode=0o700)
        account.owns(folder / name)
    return folder, lock


def memory() -> Iterator[Path]:
    """Where files cost nothing: a database made of hundreds of them is copied for each test."""
    if sys.platform == "linux" and SHARED_MEMORY.is_dir():
        if shutil.disk_usage(SHARED_MEMORY).free >= MEMORY_NEEDED:
            yield SHARED_MEMORY


def places() -> Iterator[Path]:
    """Where folders may lie, best first."""
    yield Path(tempfile.gettempdir())
    if sys.platform != "win32":
        yield Path("/tmp")  # noqa: S108  the name below it is made by mkdtemp
        yield Path("/var/tmp")  # noqa: S108


def _fits(place: Path, account: Account) -> bool:
    if not place.is_dir() or not os.access(place, os.W_OK):
        return False
    return account.reaches(place) and len(os.fsencode(place)) < LONGEST_SOCKET_FOLDER


def stale_folders() -> Iterator[Path]:
    """Our own folders without a living keeper."""
    for place in {*places(), SHARED_MEMORY}:
        yield from stale_folders_in(place, PREFIX)


def stale_folders_in(place: Path, prefix: str) -> Iterator[Path]:
    for folder in place.glob(f"{prefix}*"):
        if _is_ours(folder) and _is_stale(folder):
            yield folder


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """In a folder for everybody, somebody may lay out a link for root to follow."""
    try:
        owner = folder.lstat().st_uid
    except OSError:
        return False
    return not folder.is_symlink() and (sys.platform == "win32" or owner == os.geteuid())


def _is_stale(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb+") as lock:
            lock_or_fail(lock)
            return True
    except FileNotFoundError:
        return _age(folder) > YOUNG_SECONDS
    except OSError:
        return False


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0


def lock_or_fail(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
