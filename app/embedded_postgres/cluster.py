"""One PostgreSQL in its folder: made, started, ended."""

import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

from app.embedded_postgres.account import Account
from app.embedded_postgres.binaries import program
from app.embedded_postgres.wire import PostgresOptions

SUPERUSER = "onboarding"
START_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 6
READY_LINE = 7
"""The line of `postmaster.pid` that says "ready"."""

COMMON = {
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "jit": "off",
    "shared_buffers": "'64MB'",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "logging_collector": "off",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ClusterFailed(Exception):
    """What PostgreSQL's programs said last."""


class Cluster:
    def __init__(self, folder: Path, binaries: Path, account: Account) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.binaries = binaries
        self.account = account
        self._log: IO[bytes] = (folder / "log").open("ab")
        self._server: subprocess.Popen[bytes] | None = None

    def start(self, options: PostgresOptions) -> str:
        """Make and start it; answers its address."""
        password = secrets.token_urlsafe(24)
        self._initialise(password)
        port = _free_port() if sys.platform == "win32" else 0
        self._configure(options, port)
        if sys.platform == "win32":
            # Administrators may not start the server itself; pg_ctl lowers its own rights.
            self._run("pg_ctl", "-D", str(self.data), "-W", "start")
        else:
            self._server = self._start("postgres", "-D", str(self.data))
        self._wait_until_ready()
        if port:
            return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.folder / 'socket'))}"

    def stop(self) -> None:
        """Fast shutdown first; one that takes too long loses nothing that anybody wants."""
        for mode in ("fast", "immediate"):
            try:
                self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-t", "3", "-w", "stop")
            except ClusterFailed:
                continue
            break
        if self._server is not None:
            try:
                self._server.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        self._log.close()

    def running(self) -> bool:
        return self._server is None or self._server.poll() is None

    def _initialise(self, password: str) -> None:
        # A socket lies in a folder that only PostgreSQL's account and root can enter.
        how = ["-A", "trust"]
        if sys.platform == "win32":
            (self.folder / "password").write_text(password)
            how = ["-A", "scram-sha-256", f"--pwfile={self.folder / 'password'}"]
        where = ["-D", str(self.data), "-U", SUPERUSER]
        self._run("initdb", *where, *how, "--encoding=UTF8", "--locale=C", "--no-sync")

    def _configure(self, options: PostgresOptions, port: int) -> None:
        settings = COMMON | ({} if options.durable else NOT_DURABLE)
        settings["max_connections"] = str(options.max_connections)
        if port:
            settings |= {"port": str(port), "listen_addresses": "'127.0.0.1'"}
        else:
            settings |= {"listen_addresses": "''"}
            settings["unix_socket_directories"] = f"'{self.folder / 'socket'}'"
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_WITHIN_SECONDS
        while time.monotonic() < until and self.running():
            if _is_ready(self.data / "postmaster.pid"):
                return
            time.sleep(0.005)
        raise ClusterFailed(self._said())

    def _run(self, name: str, *arguments: str) -> None:
        if self._start(name, *arguments).wait() != 0:
            raise ClusterFailed(self._said())

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return self.account.start([program(self.binaries, name), *arguments], self._log)

    def _said(self) -> str:
        text = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        return " ".join(text.split("\n")[-6:]).strip()


def has_server(data: Path) -> bool:
    """Whether `data` says that a server runs there, and the process of that number may be it."""
    try:
        number = (data / "postmaster.pid").read_text().split("\n")[0]
    except OSError:
        return False
    process = Path("/proc") / number / "cwd"
    if not Path("/proc/self/cwd").exists():
        return True
    return process.exists() and process.resolve() == data.resolve()


def _is_ready(pid_file: Path) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
