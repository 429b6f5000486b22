"""One sandbox for all journeys: two worker processes, and a database that tests can look into."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import sandboxes
from tests.databases import new_database
from tests.installers.listener import LoopbackListener, loopback_listener
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

OPTIONS = ("--workers", "2", "--exit-with-parent")


@contextmanager
def logged_sandbox(
    database_url: str, log: Path, *options: str
) -> Iterator[sandboxes.RunningSandbox]:
    with log.open("ab") as file, ExitStack() as stack:
        options = (*OPTIONS, "--database-url", database_url, *options)
        starting = sandboxes.sandbox(*options, stdin=subprocess.DEVNULL, stderr=file)
        try:
            running = stack.enter_context(starting)
        except AssertionError as error:
            error.add_note(log.read_text(encoding="utf-8")[-4000:])
            raise
        yield running


@pytest.fixture(scope="session")
def journeys_database(server_url: str, template: str) -> Iterator[str]:
    with new_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox") / "log.jsonl"


@pytest.fixture(scope="session")
def sandbox(journeys_database: str, sandbox_log: Path) -> Iterator[Ready]:
    with logged_sandbox(journeys_database, sandbox_log) as running:
        yield running.ready


@pytest.fixture(scope="session")
def stored(journeys_database: str, sandbox: Ready) -> Stored:
    """What the sandbox has in its database."""
    return Stored(journeys_database)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    """What an installer's language has for asking over HTTP."""
    with httpx2.Client(trust_env=False, timeout=30) as http:
        yield http


@pytest.fixture
def listener() -> Iterator[LoopbackListener]:
    with loopback_listener() as listener:
        yield listener
