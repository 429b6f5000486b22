"""Whom PostgreSQL runs as: it refuses root, so root lends it an account that owns nothing."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import IO

from msgspec import Struct

PR_SET_PDEATHSIG = 1


class NoAccount(Exception):
    """There is nobody to run PostgreSQL as. The text is for whoever typed the command."""


class Account(Struct, frozen=True):
    """A numeric user and group to run as; without one, PostgreSQL runs as we do."""

    uid: int | None = None
    gid: int | None = None

    def owns(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Whether PostgreSQL can go to `folder`. (We can.)"""
        if self.uid is None:
            return True
        parents = [folder.resolve(), *folder.resolve().parents]
        return all(parent.stat().st_mode & 0o001 for parent in parents)

    def start(self, command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            cwd=Path(command[0]).parent,
            env=_environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            # The keeper has one thread, so a function between fork and exec is safe.
            preexec_fn=_quit_with_keeper if sys.platform == "linux" else None,
        )


def account_for_postgres() -> Account:
    if sys.platform == "win32" or os.geteuid() != 0:
        return Account()
    import pwd  # does not exist on Windows

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        # initdb looks its own user up, so a number alone will not do.
        raise NoAccount("PostgreSQL does not run as root, and there is no user nobody.") from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def _environment() -> dict[str, str]:
    """Ours without what would lead PostgreSQL's programs to another server or language."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_", "LANG", "ONBOARDING_"))
    } | {"LC_ALL": "C"}


def _quit_with_keeper() -> None:
    """A keeper that is killed cannot end PostgreSQL: the kernel does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
