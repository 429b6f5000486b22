"""The process between a program and its PostgreSQL: it outlives the program by a moment.

It reads its orders from a pipe and waits for the pipe's end, which comes also when the program
was killed without a signal that it could have heard.
"""

import signal
import sys

import msgspec

from app.embedded_postgres.account import Account, NoAccount, account_for_postgres
from app.embedded_postgres.binaries import reachable_binaries
from app.embedded_postgres.cluster import Cluster, ClusterFailed, has_server
from app.embedded_postgres.folders import new_folder, remove, stale_folders
from app.embedded_postgres.wire import PostgresOptions, PostgresStarted


def main() -> None:
    _leave_signals_to_the_program()
    options = msgspec.json.decode(sys.stdin.buffer.readline() or b"{}", type=PostgresOptions)
    try:
        account = account_for_postgres()
        _sweep(account, options)
        _keep(account, options)
    except (NoAccount, ClusterFailed, OSError) as error:
        _say(PostgresStarted(error=f"PostgreSQL did not start: {error}"))


def _leave_signals_to_the_program() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _keep(account: Account, options: PostgresOptions) -> None:
    folder, lock = new_folder(account, durable=options.durable)
    with lock:
        try:
            binaries = reachable_binaries(options.binaries, account, folder / "programs")
            cluster = Cluster(folder, binaries, account)
            try:
                _say(PostgresStarted(url=cluster.start(options)))
                sys.stdin.buffer.read()
            finally:
                cluster.stop()
        finally:
            remove(folder)


def _sweep(account: Account, options: PostgresOptions) -> None:
    """A keeper that was itself killed leaves its folder, and may leave its PostgreSQL."""
    for folder in stale_folders():
        if has_server(folder / "data"):
            binaries = reachable_binaries(options.binaries, account, folder / "sweeper")
            Cluster(folder, binaries, account).stop()
        remove(folder)


def _say(started: PostgresStarted) -> None:
    sys.stdout.write(msgspec.json.encode(started).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
