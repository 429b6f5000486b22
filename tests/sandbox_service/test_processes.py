"""The processes of `onboarding sandbox`: they start, they are started again, and they all end."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from click.testing import CliRunner

from app.cli import main
from tests.sandboxes import (
    COMMAND,
    END_WITHIN_SECONDS,
    Ready,
    RunningSandbox,
    clean_environment,
    eventually,
    sandbox,
)

SERVICE = "app.sandbox_service.service:create_service"
NEIGHBOURS = "app.sandbox.app:create_app"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox("--workers", "2") as running:
        yield running


def status_of(url: str) -> int:
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert isinstance(answer.status, int)
        return answer.status


def failing(*options: str, **environment: str) -> str:
    """What the command says when it does not start; one line, and a code that is not 0."""
    ended = subprocess.run(
        [*COMMAND, *options],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    return line


def test_what_it_says_when_it_is_ready_is_so(running: RunningSandbox) -> None:
    ready = running.ready
    assert ready.pid == running.process.pid
    assert ready.ca_file is None
    assert ready.api_key == "sandbox"
    assert ready.control_url.removesuffix("/_sandbox") == ready.issuer.removesuffix("/sts")
    assert ready.confirm_url_template == f"{ready.base_url}/confirm-client/{{clientId}}"
    assert status_of(f"{ready.base_url}/health/ready") == 200
    assert status_of(f"{ready.control_url}/health") == 200
    assert status_of(f"{ready.issuer}/.well-known/openid-configuration") == 200


@pytest.mark.parametrize("target", [SERVICE, NEIGHBOURS])
def test_what_is_killed_is_started_again_and_requests_wait(
    running: RunningSandbox, target: str
) -> None:
    before = running.children_serving(target)
    assert len(before) == (3 if target == SERVICE else 2)
    for child in before:
        child.kill()
    psutil.wait_procs(before, timeout=5)
    paths = {SERVICE: running.ready.base_url, NEIGHBOURS: running.ready.control_url}
    health = {SERVICE: "/health/ready", NEIGHBOURS: "/health"}
    assert status_of(paths[target] + health[target]) == 200
    assert not {child.pid for child in before} & {
        child.pid for child in running.children_serving(target)
    }


def test_a_killed_worker_process_is_replaced(running: RunningSandbox) -> None:
    def workers() -> set[int]:
        children = running.children_serving(SERVICE)
        everyone = {child.pid for child in children}
        return {child.pid for child in children if child.ppid() in everyone}

    assert eventually(lambda: len(workers()) == 2)
    victim = min(workers())
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: len(workers() - {victim}) == 2)
    assert status_of(f"{running.ready.base_url}/health/ready") == 200


def own_folders(process: psutil.Process) -> set[Path]:
    """Those that the sandbox has made, and in which the process has something open."""
    try:
        opened = process.open_files()
    except psutil.NoSuchProcess:
        return set()  # PostgreSQL's own come and go
    return {Path(file.path).parent for file in opened if "onboarding-" in file.path}


def test_a_signal_ends_all_of_it_and_leaves_nothing(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    with sandbox("--ready-file", str(ready_file), cwd=tmp_path) as running:
        assert msgspec.json.decode(ready_file.read_bytes(), type=Ready) == running.ready
        children = running.children()
        folders = {folder for child in children for folder in own_folders(child)}
        assert folders
        began = time.monotonic()
        running.process.terminate()
        assert running.process.wait(END_WITHIN_SECONDS) == 0
        assert time.monotonic() - began < 11
    assert psutil.wait_procs(children, timeout=1)[1] == []
    assert not ready_file.exists()
    assert not [folder for folder in folders if folder.exists()]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no terminals of this kind")
def test_whoever_sits_at_the_terminal_is_told_where_to_look() -> None:
    terminal, behind_it = os.openpty()
    with sandbox(stderr=behind_it) as running:
        os.close(behind_it)
        shown = ""
        while "what the service can be asked" not in shown:
            shown += os.read(terminal, 4096).decode()
        assert f"{running.ready.control_url}/ " in shown
        assert f"{running.ready.base_url}/docs/v1/index.html " in shown
        assert '"event"' not in shown  # nobody has asked for anything
    os.close(terminal)


def test_nothing_survives_the_parents_sudden_death() -> None:
    with sandbox() as running:
        children = running.children()
        running.process.kill()
        assert psutil.wait_procs(children, timeout=END_WITHIN_SECONDS)[1] == []


@pytest.mark.skipif(sys.platform == "win32", reason="started through a shell of Unix")
def test_it_ends_with_the_process_that_started_it() -> None:
    starter = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", *COMMAND, "--exit-with-parent"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    with starter:
        assert starter.stdout is not None
        ready = msgspec.json.decode(starter.stdout.readline(), type=Ready)
        everyone = [psutil.Process(ready.pid)]
        everyone += everyone[0].children(recursive=True)
        starter.kill()
        assert psutil.wait_procs(everyone, timeout=END_WITHIN_SECONDS)[1] == []


@pytest.mark.parametrize("option", ["--port", "--neighbours-port"])
def test_a_taken_port_is_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = failing(option, str(port))
    assert line == f"Port {port} on 127.0.0.1 is in use. Choose another, or 0 for a free one."


def test_a_database_that_does_not_answer_is_one_line() -> None:
    line = failing("--database-url", "postgresql://127.0.0.1:1/none")
    assert line.startswith("The database does not answer: ")


@pytest.mark.parametrize("option", ["--public-url", "--database-url"])
def test_an_address_of_another_form_is_told_what_it_looks_like(option: str) -> None:
    refused = CliRunner().invoke(main, ["sandbox", option, "ftp://example"])
    assert refused.exit_code == 2
    line = refused.stderr.splitlines()[-1]
    assert line.startswith(f"Error: Invalid value for '{option}': It looks like ")


def test_it_does_not_start_where_a_service_has_settings() -> None:
    line = failing(ONBOARDING_DATABASE_URL="postgresql://prod/db", ONBOARDING_ISSUER="https://x")
    assert "ONBOARDING_DATABASE_URL, ONBOARDING_ISSUER" in line
    assert "postgresql://" not in line


def test_a_ready_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    line = failing("--ready-file", str(tmp_path / "nowhere" / "ready.json"))
    assert line.startswith("Cannot write")
