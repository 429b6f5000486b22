"""Starting and stopping: `with embedded_postgres() as url:`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE

import msgspec

from app.embedded_postgres.wire import PostgresOptions, PostgresStarted

STOP_WITHIN_SECONDS = 10


class PostgresFailed(Exception):
    """PostgreSQL did not start. The text is for whoever typed the command."""


class EmbeddedPostgres:
    """A running PostgreSQL; `url` is a superuser's, on the database `postgres`."""

    def __init__(self, options: PostgresOptions | None = None) -> None:
        self._keeper = subprocess.Popen(
            # -P: the working folder may hold an `app` of somebody else's.
            [sys.executable, "-P", "-m", "app.embedded_postgres.keeper"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # Ctrl-C in a terminal is for us: PostgreSQL goes last.
            start_new_session=sys.platform != "win32",
            creationflags=_creation_flags(),
        )
        self.url, self.pid = self._started(options or PostgresOptions())

    def _started(self, options: PostgresOptions) -> tuple[str, int]:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        try:
            self._keeper.stdin.write(msgspec.json.encode(options) + b"\n")
            self._keeper.stdin.flush()
            line = self._keeper.stdout.readline()
        except BaseException:
            self.stop()
            raise
        started = msgspec.json.decode(line or b"{}", type=PostgresStarted)
        if not started.url:
            self.stop()
            raise PostgresFailed(started.error or "PostgreSQL's keeper ended at its start.")
        return started.url, self._keeper.pid

    def running(self) -> bool:
        return self._keeper.poll() is None

    def stop(self) -> None:
        """End PostgreSQL and remove its folder."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()


@contextmanager
def embedded_postgres(
    *, durable: bool = True, max_connections: int = 200, binaries: Path | None = None
) -> Iterator[str]:
    """The address of a fresh PostgreSQL.

    With `durable` it survives its own crash as production's does; without, it is faster.
    `binaries` is the folder of another PostgreSQL's programs, of release 15 or later.
    """
    options = PostgresOptions(
        durable=durable,
        max_connections=max_connections,
        binaries=str(binaries) if binaries else None,
    )
    postgres = EmbeddedPostgres(options)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP
    return 0
