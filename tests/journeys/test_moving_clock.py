"""Time jumps by days while installers work: nothing is lost, and nobody is stuck or misled."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.databases import new_database
from tests.installers.keys import ec_key
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.journeys.conftest import logged_sandbox
from tests.journeys.relentless import PAUSE_SECONDS, connection
from tests.journeys.stored import Stored
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
DAY = 86_400
JUMPS = 2
WAIT = 5  # seconds of a request that is held
HELD_AT_MOST = WAIT + 10  # and the machine does other things
DECIDED_LATE = "310000078"


@pytest.fixture(scope="module")
def database(server_url: str, template: str) -> Iterator[str]:
    with new_database(server_url, template) as url:
        yield url


@pytest.fixture
def here(database: str, tmp_path: Path) -> Iterator[Ready]:
    log = tmp_path / "log.jsonl"
    with logged_sandbox(database, log) as running:
        yield running.ready
    unexpected = [line for line in log.read_text("utf-8").splitlines() if '"status":500' in line]
    assert unexpected == []


class Told:
    """What the installers have heard so far."""

    def __init__(self) -> None:
        self.rounds: Counter[str] = Counter()
        self.decided: Counter[str] = Counter()
        self.begins_to_wait = threading.Event()


def change(client: PlainInstaller, told: Told) -> None:
    uris = [f"http://localhost:1337/{told.rounds['changes']}"]
    answer = client.put_client({"apiScopes": [CLIENT_SCOPE], "redirectUris": uris})
    assert answer.status_code == 204, answer.text
    assert client.client()["redirectUris"] == uris
    told.rounds["changes"] += 1


def read(client: PlainInstaller, told: Told) -> None:
    for path in ("client", "client-status", "client-secret", "client/delegations"):
        answer = client.call("GET", path)
        assert answer.status_code == 200, answer.text
    assert client.onboarding()["outcome"] == "ready"
    told.rounds["reads"] += 1
    time.sleep(0.5)  # an onboarding is read twice a second at the most


def renew(client: PlainInstaller, told: Told) -> None:
    old, new = client.key, ec_key()
    answer = client.post_key(new.members)
    assert answer.status_code == 200, answer.text
    client.key = new
    client.log_in()
    path = f"client-secret/{old.thumbprint}?graceSeconds=0"
    assert client.call("DELETE", path).status_code == 204
    told.rounds["keys"] += 1


def wait_for_owner(here: Ready, told: Told) -> None:
    """Held requests, until the owner's decision falls due on the way of a jump."""
    with connection() as http:
        client = PlainInstaller(here, http, organization=DECIDED_LATE).set_up()
        tag, until = "", time.monotonic() + 60
        while time.monotonic() < until:
            held = {"Prefer": f"wait={WAIT}"} | ({"If-None-Match": tag} if tag else {})
            asked = time.monotonic()
            answer = client.call("GET", f"onboardings/{client.client_id}", headers=held)
            assert time.monotonic() - asked < HELD_AT_MOST
            assert answer.status_code in (200, 304), answer.text
            told.begins_to_wait.set()
            tag = answer.headers["etag"]
            if answer.status_code == 200 and answer.json()["outcome"] == "ready":
                told.rounds["waits"] += 1
                return
        raise AssertionError("Nobody has told of the decision.")


def confirm(client: PlainInstaller, told: Told) -> None:
    """By the control. A jump may come between the draft and the person."""
    assert client.draft().status_code == 201
    answer = client.decide()
    assert answer.status_code == 200, answer.text
    status = answer.json()["status"]
    told.decided[status] += 1
    if status == "Success":
        client.log_in()
        assert client.client()["apiScopes"]
    told.rounds["drafts"] += 1


def confirm_at_page(client: PlainInstaller, told: Told) -> None:
    draft = client.draft(postClientConfirmationRedirectUri=None).json()
    with Person() as kari:
        page = kari.open(draft["confirmUrl"])
        if "Logg inn" in page.text:
            page = kari.log_in(page)
        if "Bekreft" in page.text:
            page = kari.press(page, "Bekreft")
        assert page.status < 500, page.text
    headers = {"Authorization": f"Bearer {draft['onboardingToken']}"}
    state = client.http.get(draft["onboardingUrl"], headers=headers).json()["state"]
    told.decided[state] += 1
    told.rounds["pages"] += 1


def again_and_again(
    do: Callable[[PlainInstaller, Told], None],
    told: Told,
    here: Ready,
    ended: threading.Event,
    *,
    organization: str | None,
) -> PlainInstaller:
    """With one client, or with a new one each time."""
    with connection() as http:
        client = PlainInstaller(here, http)
        if organization is None:
            client.set_up()
        while not ended.wait(PAUSE_SECONDS):
            if organization is not None:
                client = PlainInstaller(here, http, organization=organization)
            do(client, told)
        return client


def all_have_gone_on(
    running: list[Future[PlainInstaller]], told: Told, before: Counter[str]
) -> bool:
    """Since `before`; or somebody has failed, which is told when he is waited for."""
    went_on = all(told.rounds[name] > before[name] for name in ("changes", "keys", "drafts"))
    return went_on or any(one.done() for one in running)


def test_nothing_is_lost_while_time_jumps(here: Ready, database: str, http: httpx2.Client) -> None:
    told, ended = Told(), threading.Event()
    stories = [
        (change, None),
        (read, None),
        (renew, None),
        (confirm, "310000302"),
        (confirm_at_page, "310000310"),
    ]
    clock = PlainInstaller(here, http)
    with ThreadPoolExecutor(len(stories) + JUMPS) as threads:
        running = [
            threads.submit(again_and_again, do, told, here, ended, organization=organization)
            for do, organization in stories
        ]
        moved, waiting = [], []
        try:
            for _ in range(JUMPS):
                assert eventually(partial(all_have_gone_on, running, told, +told.rounds))
                waiting.append(threads.submit(wait_for_owner, here, told))
                assert eventually(partial(told.begins_to_wait.wait, 0))
                told.begins_to_wait.clear()
                moved.append(clock.pass_time(2 * DAY))
        finally:
            ended.set()
        moved.append(clock.pass_time(DAY))
        for one in waiting:
            one.result(timeout=90)
        changing, reading, renewing, *_ = [one.result(timeout=90) for one in running]

    assert sum(len(one["events"]) for one in moved) > 0
    assert all(
        told.rounds[name] for name in ("changes", "reads", "keys", "waits", "drafts", "pages")
    )
    # Whoever was not confirmed in time is told so, and everybody else was taken.
    assert set(told.decided) <= {"Success", "Expired", "ready", "expired"}
    with connection() as http:
        for client in (changing, reading, renewing):
            client.http = http
            client.log_in()
        last = f"http://localhost:1337/{told.rounds['changes'] - 1}"
        assert changing.client()["redirectUris"] == [last]
        assert [key["jwkThumbprint"] for key in renewing.live_keys()] == [renewing.key.thumbprint]
        confirmed = Stored(database).value(
            "SELECT count(*) FROM client_configurations WHERE organization_number = '310000302'"
        )
        assert confirmed == told.decided["Success"]
