"""One process of the sandbox. It ends when its input does, and that is when we are gone."""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from socket import socket

from app.serving import Certificate
from app.supervisor.failure import SandboxFailed

STARTS_ALLOWED = 5
WITHIN_SECONDS = 30.0


class Child:
    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        listener: socket | None = None,
    ) -> None:
        self.name = name
        # -P: the working folder may hold an `app` of somebody else's.
        self._command = [sys.executable, "-P", "-m", *arguments]
        self._environment = environment
        self._listener = listener
        self._starts: deque[float] = deque(maxlen=STARTS_ALLOWED)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._starts.append(time.monotonic())
        descriptors = [] if self._listener is None else [self._listener.fileno()]
        if self._listener is not None:
            self._listener.set_inheritable(True)
        windows = sys.platform == "win32"
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            # Our own output is the line that says that all is ready.
            stdout=sys.stderr,
            env=self._environment,
            # Windows knows no list of descriptors: there, all that may be inherited are.
            close_fds=not windows,
            pass_fds=() if windows else descriptors,
            # Ctrl-C in a terminal is for us; we end our children in order.
            start_new_session=not windows,
        )

    def tell(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # its exit code says more
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    def start_again(self) -> None:
        """After a crash. One that keeps crashing has a cause that another start will not mend."""
        _say(f"The sandbox's {self.name} {_how(self.exit_code())}. It is started again.")
        oldest = self._starts[0]
        if len(self._starts) == STARTS_ALLOWED and time.monotonic() - oldest < WITHIN_SECONDS:
            raise SandboxFailed(f"The sandbox's {self.name} keeps ending.")
        self._close_input()
        self.start()

    def end(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_for_end(self, until: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_input()

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()


def server(
    name: str,
    target: str,
    environment: Mapping[str, str],
    listener: socket,
    *,
    workers: int = 1,
    certificate: Certificate | None = None,
) -> Child:
    """A child that serves what the factory `target` makes, on a socket of ours."""
    arguments = ["app.serving", target, "--socket", str(listener.fileno())]
    arguments += ["--workers", str(workers)]
    if certificate is not None:
        arguments += ["--certificate", str(certificate.chain), str(certificate.key)]
    return Child(name, arguments, environment, listener)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by signal {-code}"
    return f"ended with code {code}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  it is a command
