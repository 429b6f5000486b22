"""The example wizard, as a supplier's developer starts it: what it shows, and that it ends well."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import httpx2
import pytest

from tests import sandboxes
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parent.parent.parent
WIZARD = ROOT / "examples" / "wizard" / "wizard.py"
WITHIN_SECONDS = 30
SHOWN_WITHIN_SECONDS = 2  # one, and one for a machine that does other things
NOTICED_WITHIN_SECONDS = 10  # in Altinn, which is asked every five
RIGHT = {"from": "310000183", "to": "310700029", "right": "nhn-helseid-databehandler"}


class RunningWizard:
    def __init__(self, process: subprocess.Popen[str], http: httpx2.Client) -> None:
        self.process, self.http = process, http
        self.lines: Queue[str] = Queue()
        self.shown = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def wait_for(self, pattern: str, within: float = WITHIN_SECONDS) -> re.Match[str]:
        """What it shows next that looks so."""
        until = time.monotonic() + within
        while True:
            found = re.search(pattern, self.shown)
            if found:
                self.shown = self.shown[found.end() :]
                return found
            try:
                self.shown += self.lines.get(timeout=max(until - time.monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"{pattern!r} is not shown, but: {self.shown}") from None

    def confirm(self, decision: str = "approve") -> str:
        """As the person and the browser would, the way back included. Answers the client's id."""
        client_id = self.wait_for(r"confirm-client/(\S+)")[1]
        self.wait_for(r"Pairing code:  \S+\n\n")
        self.wait_for("▶ ")
        decided = self.http.post(f"clients/{client_id}/decision", json={"decision": decision})
        assert decided.status_code == 200, decided.text
        self.http.get(decided.json()["redirectUri"]).raise_for_status()
        return client_id

    def ended(self) -> int:
        return self.process.wait(WITHIN_SECONDS)


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """As at a terminal: what a shell has put in the background is born deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def wizard(sandbox: Ready, folder: Path, *options: str) -> Iterator[RunningWizard]:
    addresses = ["--base-url", sandbox.base_url, "--issuer", sandbox.issuer, "--no-browser"]
    file = ["--file", str(folder / "client.json")]
    with (
        subprocess.Popen(
            [sys.executable, str(WIZARD), *addresses, *file, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={"PYTHONIOENCODING": "utf-8"},
        ) as process,
        httpx2.Client(
            base_url=f"{sandbox.control_url}/", trust_env=False, timeout=WITHIN_SECONDS
        ) as http,
    ):
        try:
            yield RunningWizard(process, http)
        finally:
            process.kill()


def test_a_new_installer_is_activated_and_ends_with_a_token(sandbox: Ready, tmp_path: Path) -> None:
    with wizard(sandbox, tmp_path, "--organization", "310000019") as running:
        running.confirm()
        running.wait_for("✓ Confirm")
        running.wait_for("has a token for .*nhn:selvbetjening/client")
        assert running.ended() == 0
    assert (tmp_path / "client.json").stat().st_mode & 0o077 == 0


def test_it_lives_with_the_strictest_of_issuers(tmp_path: Path) -> None:
    """Which learns of a client late, and wants newer nonces."""
    options = ("--strict", "7", "--exit-with-parent")
    with (
        sandboxes.sandbox(*options, stdin=subprocess.DEVNULL) as here,
        wizard(here.ready, tmp_path, "--organization", "310000019") as running,
    ):
        running.confirm()
        running.wait_for("has a token for .*nhn:selvbetjening/client")
        assert running.ended() == 0


def test_each_change_is_shown_at_once_and_whoever_must_act_is_named(
    sandbox: Ready, tmp_path: Path
) -> None:
    edi = ["--api-key", "sandbox-edi", "--claim", "herid=0", "--organization", "310000183"]
    with wizard(sandbox, tmp_path, *edi) as running:
        client_id = running.confirm()
        running.wait_for("▶ Give Fjord Systemer AS .*\n.*\n    http")
        given = running.http.post("delegations", json=RIGHT | {"action": "grant"})
        assert given.status_code == 200
        try:
            running.wait_for("✓ Give Fjord Systemer AS", NOTICED_WITHIN_SECONDS)
            approved = {"clientId": client_id, "scope": "nhn:msh/api", "decision": "approve"}
            assert running.http.post("approvals", json=approved).status_code < 300
            running.wait_for("✓ Norsk helsenett SF approves", SHOWN_WITHIN_SECONDS)
            running.wait_for("has a token for .*nhn:msh/api")
            assert running.ended() == 0
        finally:
            running.http.post("delegations", json=RIGHT | {"action": "revoke"})


def test_a_no_ends_it_with_the_reason(sandbox: Ready, tmp_path: Path) -> None:
    with wizard(sandbox, tmp_path, "--organization", "310000019") as running:
        running.confirm("reject")
        running.wait_for("✗ .*\n.*\\w")
        assert running.ended() == 1


def test_bad_input_is_told_with_its_place(sandbox: Ready, tmp_path: Path) -> None:
    with wizard(sandbox, tmp_path, "--organization", "310000124") as running:
        running.wait_for("400 .*\n.*#/organizationNumber: ")
        assert running.ended() == 1


BROKEN: list[list[dict[str, object]]] = [
    [{"drop": True, "times": 1}, {"status": 502, "times": 1}, {"malformed": True, "times": 1}],
    [{"loseAnswer": True, "times": 1}],
]


@pytest.mark.parametrize("faults", BROKEN)
def test_what_breaks_on_the_way_is_asked_again(
    sandbox: Ready, tmp_path: Path, faults: list[dict[str, object]]
) -> None:
    with wizard(sandbox, tmp_path, "--organization", "310000019") as running:
        service = [{"target": "service", "path": "/v1/*-drafts/*", **fault} for fault in faults]
        waiting = [{"target": "service", "path": "/v1/onboardings/*", **fault} for fault in faults]
        assert running.http.put("faults", json=[*service, *waiting]).is_success
        try:
            running.confirm()
            running.wait_for("has a token for ")
            assert running.ended() == 0
        finally:
            running.http.delete("faults").raise_for_status()


def test_killed_at_any_step_it_goes_on_with_the_same_client(
    sandbox: Ready, stored: Stored, tmp_path: Path
) -> None:
    office = ["--organization", "310444006"]
    lost = {"target": "service", "path": "/v1/client-drafts", "loseAnswer": True, "times": 1}
    with wizard(sandbox, tmp_path, *office) as never_answered:
        assert never_answered.http.put("faults", json=[lost]).is_success
        assert never_answered.ended() == 1
    with wizard(sandbox, tmp_path, *office) as asked:
        client_id = asked.wait_for(r"confirm-client/(\S+)")[1]
        asked.wait_for("· The client is made known to HelseID\n")
        asked.process.send_signal(signal.SIGINT)
        asked.wait_for("^Ended. Started again, it goes on from here.\n$", SHOWN_WITHIN_SECONDS)
        decided = asked.http.post(f"clients/{client_id}/decision", json={"decision": "approve"})
    with wizard(sandbox, tmp_path, *office) as confirmed:
        confirmed.wait_for("Going on with .*client.json")
        confirmed.wait_for(f"confirm-client/{client_id}")
        confirmed.wait_for("▶ Fjord Sky takes the confirmation")
        confirmed.http.get(decided.json()["redirectUri"]).raise_for_status()
        confirmed.process.kill()
    for _ in range(2):  # and whenever it is started afterwards
        with wizard(sandbox, tmp_path, *office) as activated:
            activated.wait_for("Going on with .*\n\n✓ Confirm .*\n✓ Fjord Sky takes")
            activated.wait_for(f"The client {client_id} has a token")
            assert activated.ended() == 0
    count = "SELECT count(*) FROM client_drafts WHERE organization_number = $1"
    assert stored.value(count, "310444006") == 1


def test_a_service_that_is_not_there_is_told_in_a_line(sandbox: Ready, tmp_path: Path) -> None:
    nowhere = ["--base-url", "http://127.0.0.1:9", "--organization", "310000019"]
    with wizard(sandbox, tmp_path, *nowhere) as running:
        running.wait_for("http://127.0.0.1:9/v1/client-drafts: .*refused")
        assert running.ended() == 1


def test_the_wizard_can_be_read_in_five_minutes() -> None:
    assert len(WIZARD.read_text("utf-8").splitlines()) <= 300
