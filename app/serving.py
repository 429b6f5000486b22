"""Serving an application with granian: worker processes that share one listening socket.

On Linux granian would let each worker open the port for itself (SO_REUSEPORT), so that two
services of one user could share a port unknowingly, and requests that wait for a killed worker
would be lost. Here the port is opened once, and waiting requests go to whoever is alive.
"""

import argparse
import asyncio
import errno
import importlib
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian import _signals
from granian._granian import SocketHolder
from granian.constants import Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer
from msgspec import Struct

from app.lifeline import end_with_parent_process, end_with_standard_input, tell_of_end
from app.log_lines import log_as_json

BACKLOG = 4096
BACKPRESSURE = 4096
KILL_WORKERS_AFTER_SECONDS = 10
OPEN_FILES = 65_536


# Its own way is plain text on standard output. Where it logs nothing, our lines are made of it.
GRANIAN_LOGS = {"formatters": {}, "handlers": {}, "loggers": {"_granian": {"propagate": True}}}

# Its stub leaves the constructor out.
_socket_holder: Any = SocketHolder


class PortTaken(Exception):
    """Somebody else listens there. The text is for whoever typed the command."""


class Certificate(Struct, frozen=True):
    """Files in PEM: the chain and its key."""

    chain: Path
    key: Path


class Server(MPServer):
    """granian with a socket that is open already. Its own name for this is private."""

    def __init__(self, target: str, listener: socket.socket, **options: Any) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(target, host, port, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._listener.set_inheritable(True)
        descriptor = self._listener.fileno()
        self._sso: socket.socket | None = self._listener
        self._sfd: Any = descriptor
        over_unix_socket = False
        self._shd: Any = _socket_holder(descriptor, over_unix_socket, BACKLOG)
        self._ssp: Any = None


def listen(host: str, port: int) -> socket.socket:
    """A socket that nobody else listens on, listening from now: port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Connections of an earlier service that linger do not count as somebody.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Choose another, or 0 for a free one."
    return f"Cannot listen on port {port} of {host}: {error.strerror}."


def serve(
    target: str,
    listener: socket.socket,
    *,
    workers: int = 1,
    certificate: Certificate | None = None,
) -> None:
    """Serve the application that the factory `target` ("module:function") makes, until a signal."""
    log_as_json()
    _allow_many_open_files()
    server = Server(
        target,
        listener,
        interface=Interfaces.ASGI,
        loop=Loops.auto,
        workers=workers,
        backpressure=BACKPRESSURE,
        workers_kill_timeout=KILL_WORKERS_AFTER_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOGS,
        ssl_cert=certificate.chain if certificate else None,
        ssl_key=certificate.key if certificate else None,
        # Java 8 and .NET Framework on old machines have no 1.3.
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server.serve(target_loader=load_application)


def load_application(target: str) -> Callable[..., Any]:
    """Runs in each worker. granian's own loader would first look in the working folder."""
    # Until the worker's loop hears it: a forked worker has the handler of the server's own, and
    # one that is ended while it starts would not notice.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent_process()
    _tell_of_end_first()
    module, _, factory = target.partition(":")
    application: Callable[..., Any] = getattr(importlib.import_module(module), factory)()
    return application


def _tell_of_end_first() -> None:
    """granian waits for requests that are under way, and some may be held for long: at a signal
    the application hears of it before granian does. There is no public way to this."""
    originally = _signals.set_loop_signals

    def set_loop_signals(loop: asyncio.AbstractEventLoop) -> Any:
        ended = originally(loop)  # type: ignore[no-untyped-call]  # it has no types

        def end() -> None:
            tell_of_end()
            ended.set()

        with suppress(NotImplementedError):  # on Windows, where a signal ends the process at once
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, end)
        return ended

    _signals.set_loop_signals = set_loop_signals


def _allow_many_open_files() -> None:
    if sys.platform == "win32":
        return
    import resource  # does not exist on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):  # the system may have a lower limit of its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """How the sandbox starts its servers: on a socket that it holds, for as long as it lives."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--certificate", nargs=2, type=Path, metavar=("CHAIN", "KEY"))
    given = parser.parse_args()
    end_with_standard_input()
    certificate = Certificate(*given.certificate) if given.certificate else None
    listener = socket.socket(fileno=given.socket)
    serve(given.target, listener, workers=given.workers, certificate=certificate)


if __name__ == "__main__":
    main()
