"""The neighbours in a process of their own, as the sandbox starts them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
from msgspec.structs import replace

from app.sandbox.neighbours import FILE_VARIABLE, Neighbours

START_SECONDS = 30


@contextmanager
def running(neighbours: Neighbours, folder: Path) -> Iterator[Neighbours]:
    """On a free port: what is yielded says where."""
    port = free_port()
    here = replace(neighbours, neighbours_url=f"http://127.0.0.1:{port}")
    file = folder / "neighbours.json"
    file.write_bytes(msgspec.json.encode(here))
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
        "app.sandbox.app:create_app",
    ]
    process = subprocess.Popen(command, env=os.environ | {FILE_VARIABLE: str(file)})
    try:
        _wait_for(f"{here.neighbours_url}/_sandbox/health")
        yield here
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(address: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if httpx2.get(address, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
    raise TimeoutError(address)
