"""Starting `onboarding sandbox` as somebody's test suite would: a process, a line, an end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import psutil
from msgspec import Struct

COMMAND = [sys.executable, "-P", "-m", "app", "sandbox", "--port", "0"]
END_WITHIN_SECONDS = 15


class Ready(Struct, rename="camel", forbid_unknown_fields=True):
    base_url: str
    issuer: str
    control_url: str
    confirm_url_template: str
    api_key: str
    ca_file: str | None
    pid: int


class RunningSandbox(Struct):
    process: subprocess.Popen[bytes]
    ready: Ready

    def children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.ready.pid).children(recursive=True)
        return found

    def children_serving(self, target: str) -> list[psutil.Process]:
        return [child for child in self.children() if target in command_of(child)]


@contextmanager
def sandbox(*options: str, **popen: object) -> Iterator[RunningSandbox]:
    """A sandbox that is ready; ended afterwards however it went."""
    process = subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, env=clean_environment(), **popen
    )  # type: ignore[call-overload]  # what is given is checked at run time
    assert process.stdout is not None
    with process:
        try:
            line = process.stdout.readline()
            assert line, "The sandbox did not start."
            yield RunningSandbox(process, msgspec.json.decode(line, type=Ready))
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has just ended


def clean_environment(**more: str) -> dict[str, str]:
    """Ours without settings of a service, which a sandbox would refuse."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONBOARDING_")}
    return kept | more


def eventually(holds: Callable[[], bool], within: float = END_WITHIN_SECONDS) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False
