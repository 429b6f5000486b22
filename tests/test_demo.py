"""`onboarding demo`, as somebody types it who has just heard of the product."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandboxes import RunningSandbox, clean_environment, sandbox

pytestmark = pytest.mark.journey

COMMAND = [sys.executable, "-P", "-m", "app", "demo"]
ROOT = Path(__file__).parent.parent
ESCAPE = "\x1b"

# What a newcomer is told, in this order.
STORY = """
The installer makes a key pair
It asks for a client, with the API key that its supplier ships
/v1/client-drafts
← 201 Created
confirmUrl: http
confirms
The installer asks the token issuer for a token
← 400 Bad Request
error: use_dpop_nonce
← 200 OK
token_type: DPoP
It asks what it may use
nhn:selvbetjening/client: ok
nhn:msh/api: pending
The API's owner approves
/_sandbox/approvals
nhn:msh/api: pending
what is missing in Altinn
/v1/client/delegations
has not given Fjord Systemer AS (310700029) the right
presses give on Altinn's page
/am-ui/accessmanagement/ui/delegations
action: give
nhn:msh/api: ok
a token with it
scope: nhn:msh/api
A later version of the product wants one more scope
→ PUT
nhn:deft/api: ok
The installer adds a new one
/v1/client-secret
state: active
token_type: DPoP
It asks whether the token issuer takes the new key
usable: true
The old key has done its work
→ DELETE
← 204 No Content
Whoever still holds the old key gets no token for it
error: invalid_client
Fjord Sky, asks for a client
pairingCode:
activationUrl: http
whoever confirms has to type that
what is missing, and who must act
/v1/onboardings/
state: waitingForConfirmation
▶ Confirm Fjord Sky for
· Fjord Sky takes the confirmation
It waits for news
Prefer: wait=
Meanwhile:
redirectUri: http://localhost:1337/callback?status=Success&code=
the request that waited is answered
state: waitingForActivation
✓ Confirm Fjord Sky for
▶ Fjord Sky takes the confirmation
installer activates its client
/activation
status: confirmed
✓ Fjord Sky takes the confirmation
outcome: ready
Nothing is missing any more
scope: nhn:selvbetjening/client
That was the whole journey.
""".strip().splitlines()

# A browser, as far as the page is concerned.
PERSON = """
import sys
from tests.installers.person import Person
with Person() as person:
    if "/am-ui/" in sys.argv[1]:
        page = person.press(person.open(sys.argv[1]), "Synne Leder")
        person.press(page, "Gi rettigheten", right="nhn-helseid-databehandler")
        sys.exit()
    page = person.press(person.log_in(person.open(sys.argv[1])), sys.argv[2])
    if sys.argv[2] == "Avbryt":
        person.press(page, "Avvis", reason="unsure")
"""


@pytest.fixture(scope="module")
def ready_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "ready.json"


@pytest.fixture(scope="module")
def running(ready_file: Path) -> Iterator[RunningSandbox]:
    with sandbox("--ready-file", str(ready_file)) as running:
        yield running


def played(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options],
        env=clean_environment(PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8", **environment),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def tells_the_story(text: str) -> bool:
    """Each of its lines stands after the one before."""
    position = 0
    for part in STORY:
        position = text.find(part, position)
        assert position >= 0, f"{part!r} is missing, or in another place, in:\n{text}"
    return True


def test_it_tells_the_story_in_order(running: RunningSandbox) -> None:
    told = played("--base-url", running.ready.base_url, "--control-url", running.ready.control_url)
    assert (told.returncode, told.stderr) == (0, "")
    assert tells_the_story(told.stdout)
    assert ESCAPE not in told.stdout


def test_it_shows_no_secret(running: RunningSandbox, ready_file: Path) -> None:
    told = played("--ready-file", str(ready_file)).stdout
    assert max(map(len, told.split())) < 200
    assert "access_token: eyJ" in told
    assert '"d"' not in told


@pytest.mark.skipif(sys.platform == "win32", reason="browsers are named otherwise")
@pytest.mark.parametrize(
    ("button", "code", "end"),
    [
        ("Bekreft", 0, "That was the whole journey."),
        ("Avbryt", 1, "The page came back with status=Cancelled: not confirmed."),
    ],
)
def test_a_person_confirms_in_a_browser(
    running: RunningSandbox, ready_file: Path, tmp_path: Path, button: str, code: int, end: str
) -> None:
    script = tmp_path / "browser.py"
    script.write_text(PERSON)
    told = played(
        *("--ready-file", str(ready_file), "--browser"),
        BROWSER=f"{sys.executable} {script} %s {button}",
    )
    assert told.returncode == code, told.stdout + told.stderr
    assert end in (told.stderr if code else told.stdout)


@pytest.fixture(scope="module")
def told_by_the_strictest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Over HTTPS, and by an issuer as strict as one may be."""
    file = tmp_path_factory.mktemp("strict") / "ready.json"
    with sandbox("--tls", "--strict", "7", "--ready-file", str(file)):
        told = played("--ready-file", str(file))
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def test_it_trusts_the_authority_that_the_ready_file_names(told_by_the_strictest: str) -> None:
    assert "POST https://127.0.0.1" in told_by_the_strictest


def test_it_lives_with_an_issuer_as_strict_as_one_may_be(told_by_the_strictest: str) -> None:
    assert "The issuer has not heard of it yet." in told_by_the_strictest
    assert "That was the whole journey." in told_by_the_strictest


def test_where_nothing_answers_it_says_what_to_start() -> None:
    told = played("--base-url", "http://127.0.0.1:9")
    assert told.returncode == 1
    [line] = told.stderr.splitlines()
    assert line.startswith("No sandbox answers at http://127.0.0.1:9 ")
    assert "make sandbox" in line


def test_what_is_no_sandbox_is_left_alone(running: RunningSandbox) -> None:
    # The neighbours answer, but are no service.
    told = played(*("--base-url", running.ready.issuer, "--control-url", running.ready.control_url))
    assert told.returncode == 1
    assert "is no sandbox" in told.stderr


def test_without_a_sandbox_it_starts_one_of_its_own() -> None:
    """Or plays against the one that happens to run at the usual place."""
    told = played()
    assert told.returncode == 0, told.stderr
    assert tells_the_story(told.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_for_terminals_that_want_them(
    running: RunningSandbox, ready_file: Path, no_color: str
) -> None:
    import pty  # does not exist on Windows

    ours, theirs = pty.openpty()
    environment = clean_environment(NO_COLOR=no_color, TERM="xterm")
    process = subprocess.Popen(
        [*COMMAND, "--ready-file", str(ready_file)], env=environment, stdout=theirs
    )
    os.close(theirs)
    shown = b""
    while chunk := read_or_nothing(ours):
        shown += chunk
    os.close(ours)
    assert process.wait(20) == 0
    assert (ESCAPE.encode() in shown) is not bool(no_color)


def read_or_nothing(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that the other end is closed
        return b""
