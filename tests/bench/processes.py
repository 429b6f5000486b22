"""The two servers that are measured, each with one worker process."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
from msgspec import Struct

from app import serving
from tests.sandboxes import END_WITHIN_SECONDS, Ready, eventually, sandbox

ROOT = Path(__file__).parents[2]
SERVICE = "app.sandbox_service.service:create_service"


class Worker(Struct, frozen=True):
    """The one process that answers requests."""

    base_url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        # clock_getcpuclockid(3), by the nanosecond: what psutil reads counts in ticks of 10 ms.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def mebibytes(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


@contextmanager
def hello_world() -> Iterator[Worker]:
    """The hello-world route, served exactly as the sandbox serves the service."""
    listener = serving.listen("127.0.0.1", 0)
    listener.set_inheritable(True)
    descriptor = listener.fileno()
    command = [sys.executable, "-m", "app.serving", "tests.bench.hello:create_app"]
    server = subprocess.Popen(
        [*command, "--socket", str(descriptor)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        pass_fds=[descriptor],
    )
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with server, listener:
        try:
            urlopen(f"{url}/hello", timeout=END_WITHIN_SECONDS).close()
            yield Worker(url, only_worker([psutil.Process(server.pid)]))
        finally:
            server.terminate()
            server.wait(END_WITHIN_SECONDS)


@contextmanager
def service(log: Path) -> Iterator[tuple[Ready, Worker]]:
    """The whole sandbox, of which one process is measured, as it is in production."""
    options = ("--exit-with-parent", "--no-journal")
    with log.open("wb") as file, sandbox(*options, stderr=file) as running:
        urlopen(f"{running.ready.base_url}/health/ready", timeout=END_WITHIN_SECONDS).close()
        servers = running.children_serving(SERVICE)
        yield running.ready, Worker(running.ready.base_url, only_worker(servers))


def only_worker(family: list[psutil.Process]) -> psutil.Process:
    """The child of a server; `family` is the server, with or without it."""

    def workers() -> list[psutil.Process]:
        pids = {process.pid for process in family}
        everyone = {*family, *(child for one in family for child in one.children())}
        return [process for process in everyone if process.ppid() in pids]

    assert eventually(lambda: len(workers()) == 1)
    [worker] = workers()
    return worker
