"""Processes that are killed between any two steps: nothing that was answered is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from tests.installers.keys import InstallersKey, claims_of, ec_key, rsa_key
from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.journeys.conftest import logged_sandbox
from tests.journeys.relentless import connection, relentless
from tests.journeys.stored import Stored
from tests.sandboxes import Ready, RunningSandbox, command_of, eventually

pytestmark = pytest.mark.journey
CHANGED = ["http://localhost:1337/callback", "http://localhost:1337/changed"]
# A second death within 3.5 s of the new start counts as a loop of crashes, for granian.
RESPAWN_SECONDS = 4.5
Step: TypeAlias = Callable[[PlainInstaller], None]


class Journey:
    """An installer's steps, each with what must be so afterwards."""

    def __init__(self, listener: LoopbackListener) -> None:
        self.listener = listener
        self.old: InstallersKey = ec_key()
        self.new: InstallersKey = rsa_key(2048, "PS256")
        self.key = self.old
        self.client_id = ""
        self.confirm_path = ""
        self.token = ""
        self.steps: list[list[Step]] = [
            [self.asks_for_a_client],
            [self.is_confirmed],
            [self.reads_its_status, self.changes],
            [self.adds_a_key],
            [self.uses_the_new_key, self.retires_the_old_key],
            [self.is_as_it_was_left],
        ]
        """Those that stand together begin with one that changes nothing in the service."""

    def take(self, step: Callable[[PlainInstaller], None], service: Ready, *, anew: bool) -> None:
        """`anew`: the service, and the issuer with it, has been started again since the last."""
        with httpx2.Client(trust_env=False, timeout=30) as http:
            installer = PlainInstaller(service, http, self.key)
            installer.client_id = self.client_id
            installer.token = self.token
            if self.token and anew:
                # The issuer has new keys of its own, and learns of its clients again.
                assert eventually(lambda: installer.ask_for_token().is_success)
                installer.log_in()
            step(installer)
            self.client_id, self.key = installer.client_id, installer.key
            self.token = installer.token

    def asks_for_a_client(self, installer: PlainInstaller) -> None:
        answer = installer.draft(postClientConfirmationRedirectUri=self.listener.address)
        assert answer.status_code == 201, answer.text
        self.confirm_path = urlsplit(answer.json()["confirmUrl"]).path

    def is_confirmed(self, installer: PlainInstaller) -> None:
        with Person() as kari:
            page = kari.log_in(kari.open(installer.service.base_url + self.confirm_path))
            kari.press(page, "Bekreft")
        assert self.listener.status() == "Success"
        installer.log_in()

    def reads_its_status(self, installer: PlainInstaller) -> None:
        assert {status for status, _ in installer.scopes().values()} == {"ok"}

    def changes(self, installer: PlainInstaller) -> None:
        answer = installer.put_client({"apiScopes": [CLIENT_SCOPE], "redirectUris": CHANGED})
        assert answer.status_code == 204, answer.text

    def adds_a_key(self, installer: PlainInstaller) -> None:
        assert installer.client()["redirectUris"] == CHANGED
        assert installer.post_key(self.new.members).status_code == 200

    def uses_the_new_key(self, installer: PlainInstaller) -> None:
        kids = [key["kid"] for key in installer.live_keys()]
        assert kids == [self.old.thumbprint, self.new.thumbprint]
        installer.key = self.new
        installer.log_in()
        assert claims_of(installer.token)["cnf"]["jkt"] == self.new.thumbprint

    def retires_the_old_key(self, installer: PlainInstaller) -> None:
        assert eventually(lambda: bool(installer.check_key(self.new)["usable"]))
        path = f"client-secret/{self.old.thumbprint}?graceSeconds=0"
        assert installer.call("DELETE", path).status_code == 204

    def is_as_it_was_left(self, installer: PlainInstaller) -> None:
        client = installer.client()
        assert [scope["scope"] for scope in client["apiScopes"]] == [CLIENT_SCOPE]
        assert client["redirectUris"] == CHANGED
        assert [key["kid"] for key in installer.live_keys()] == [self.new.thumbprint]
        installer.key = self.old
        assert installer.ask_for_token().json()["error"] == "invalid_client"
        installer.key = self.new


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@contextmanager
def killed_afterwards(database_url: str, log: Path, *ports: str) -> Iterator[Ready]:
    """One life of a sandbox; its processes are all killed at once, and clean nothing up."""
    # One worker process starts sooner than two.
    with logged_sandbox(database_url, log, *ports, "--workers", "1") as running:
        yield running.ready
        processes = [psutil.Process(running.ready.pid), *running.children()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=20)


def same_ports(ready: Ready) -> tuple[str, ...]:
    """What an installation has in its settings stays what it was."""
    ports = [str(urlsplit(url).port) for url in (ready.base_url, ready.issuer)]
    return ("--port", ports[0], "--neighbours-port", ports[1])


def test_everything_may_be_killed_between_any_two_steps(
    database_url: str, log: Path, listener: LoopbackListener
) -> None:
    journey = Journey(listener)
    ports: tuple[str, ...] = ()
    for steps in journey.steps:
        with killed_afterwards(database_url, log, *ports) as service:
            for step in steps:
                journey.take(step, service, anew=bool(ports))
            ports = same_ports(service)


@pytest.fixture
def own_sandbox(database_url: str, log: Path) -> Iterator[RunningSandbox]:
    with logged_sandbox(database_url, log) as running:
        yield running


def test_workers_may_be_killed_between_any_two_steps(
    own_sandbox: RunningSandbox, listener: LoopbackListener
) -> None:
    """In turns those that answer, and the one in the background. Nobody has to ask twice."""
    journey = Journey(listener)
    last_kill = 0.0
    for number, step in enumerate(chain.from_iterable(journey.steps)):
        if number % 2:
            time.sleep(max(0.0, last_kill + RESPAWN_SECONDS - time.monotonic()))
            kill_service(own_sandbox)
            last_kill = time.monotonic()
        elif number:
            kill_worker(own_sandbox)
        journey.take(step, own_sandbox.ready, anew=False)


def test_what_was_answered_while_workers_died_is_kept(
    own_sandbox: RunningSandbox, database_url: str
) -> None:
    with connection() as http:
        changing = PlainInstaller(own_sandbox.ready, http).set_up()
    with relentless(own_sandbox.ready, changing) as answered:
        for _ in range(2):
            time.sleep(RESPAWN_SECONDS)
            kill_service(own_sandbox)
            kill_worker(own_sandbox)
        time.sleep(1.5)

    stored = Stored(database_url)
    kept = {str(row["client_id"]) for row in stored.rows("SELECT client_id FROM client_drafts")}
    assert len(answered.drafts) > 20
    assert set(answered.drafts) <= kept
    [uri] = stored.value(
        "SELECT redirect_uris FROM client_configurations WHERE client_id = $1::text::uuid",
        changing.client_id,
    )
    assert len(answered.changes) > 5
    # What got no answer may have been done or not; what got one has been.
    assert int(uri.rpartition("/")[2]) >= answered.changes[-1]


def kill_service(running: RunningSandbox) -> None:
    """The processes that answer requests; not the one that starts them again."""
    [server] = [
        child for child in direct_children(running) if "create_service" in command_of(child)
    ]
    killed = [child for child in server.children() if child.name() == server.name()]
    assert killed
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)


def kill_worker(running: RunningSandbox) -> None:
    [worker] = [
        child
        for child in direct_children(running)
        if "sandbox_service.worker" in command_of(child) and child.status() != psutil.STATUS_ZOMBIE
    ]
    worker.kill()
    assert eventually(
        lambda: any(
            "sandbox_service.worker" in command_of(child) and child.pid != worker.pid
            for child in direct_children(running)
        )
    )


def direct_children(running: RunningSandbox) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(running.ready.pid).children()
    return found
