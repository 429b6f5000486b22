"""Where the sandbox is: one that runs, or one of the demo's own."""

import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Struct

from app.demo.failure import DemoFailed

BASE_URL = "http://127.0.0.1:8080"
NEIGHBOURS_PORT = 8081
ANSWER_WITHIN_SECONDS = 20
END_WITHIN_SECONDS = 15
START_IT = "Start a sandbox first: make sandbox (or: onboarding sandbox)."


class Places(Struct, frozen=True, rename="camel"):
    """Of a sandbox's ready line, what the demo needs."""

    base_url: str
    issuer: str
    control_url: str
    ca_file: str | None = None


def places_at(base_url: str, control_url: str | None) -> Places:
    """By the sandbox's own habits: its neighbours are beside it, on port 8081."""
    if control_url is None:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        name = f"[{host}]" if ":" in host else host
        control_url = f"{parts.scheme}://{name}:{NEIGHBOURS_PORT}/_sandbox"
    neighbours = control_url.rstrip("/").removesuffix("/_sandbox")
    return Places(base_url.rstrip("/"), f"{neighbours}/sts", f"{neighbours}/_sandbox")


def places_in(ready_file: Path) -> Places:
    try:
        return msgspec.json.decode(ready_file.read_bytes(), type=Places)
    except (OSError, msgspec.MsgspecError) as error:
        raise DemoFailed(f"{ready_file} is no ready file of a sandbox. {START_IT}") from error


def client_for(places: Places) -> httpx2.Client:
    return httpx2.Client(
        verify=ssl.create_default_context(cafile=places.ca_file),
        timeout=ANSWER_WITHIN_SECONDS,
        trust_env=False,
        headers={"Accept-Language": "en"},
    )


def is_sandbox(places: Places) -> bool:
    """Whether one answers there. What answers and is no sandbox is left alone."""
    with client_for(places) as http:
        try:
            service = http.get(f"{places.base_url}/health/ready")
            controls = http.get(f"{places.control_url}/health")
        except httpx2.HTTPError:
            return False
    if service.headers.get("Sandbox") != "true":
        raise DemoFailed(f"What answers at {places.base_url} is no sandbox. {START_IT}")
    return service.status_code == controls.status_code == HTTPStatus.OK


def demand_sandbox(places: Places) -> None:
    if not is_sandbox(places):
        where = f"{places.base_url} with its controls at {places.control_url}"
        raise DemoFailed(f"No sandbox answers at {where}. {START_IT}")


@contextmanager
def own_sandbox(environment: Mapping[str, str]) -> Iterator[Places]:
    """On free ports, for the time of the demo; it ends with us however we end."""
    command = [sys.executable, "-P", "-m", "app", "sandbox", "--port", "0", "--exit-with-parent"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                raise DemoFailed(f"No sandbox could be started. {log.read().decode().strip()}")
            yield msgspec.json.decode(line, type=Places)
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
