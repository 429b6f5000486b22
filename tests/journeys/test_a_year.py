"""A year of the sandbox's time, in a sandbox of its own: what becomes of keys, drafts, rights."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.databases import new_database
from tests.installers.keys import ec_key
from tests.installers.plain import EDI, PlainInstaller
from tests.journeys.conftest import logged_sandbox
from tests.sandboxes import RunningSandbox, clean_environment, command_of

pytestmark = pytest.mark.journey
DAY = 86_400
YEAR = 365 * DAY
MSH = "nhn:msh/api"


@pytest.fixture(scope="module")
def running(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSandbox]:
    log = tmp_path_factory.mktemp("year") / "log.jsonl"
    with (
        new_database(server_url, template) as url,
        logged_sandbox(url, log) as running,
    ):
        yield running
        unexpected = [line for line in log.read_text().splitlines() if '"status":500' in line]
        assert unexpected == []


def now_of(client: PlainInstaller) -> datetime:
    answer = client.http.get(f"{client.service.control_url}/clock").json()
    return datetime.fromisoformat(answer["now"])


def window_of(client: PlainInstaller) -> dict[str, datetime]:
    [window] = [
        key["renewalWindow"]
        for key in client.live_keys()
        if key["jwkThumbprint"] == client.key.thumbprint
    ]
    return {name: datetime.fromisoformat(moment) for name, moment in window.items()}


def renew(client: PlainInstaller) -> None:
    """In the window: the new key first, then the old one's end."""
    old, new = client.key, ec_key()
    assert client.post_key(new.members).status_code == 200
    client.key = new
    client.log_in()
    assert client.call("DELETE", f"client-secret/{old.thumbprint}").status_code == 204


def onboarding_of(client: PlainInstaller) -> dict[str, Any]:
    answer = client.call("GET", f"onboardings/{client.client_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def read_by_token(client: PlainInstaller, draft: dict[str, Any]) -> dict[str, Any]:
    """By what came with a draft: a client without a key has nothing else."""
    headers = {"Authorization": f"Bearer {draft['onboardingToken']}"}
    answer = client.http.get(draft["onboardingUrl"], headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def steps_by_code(onboarding: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [step for step in onboarding["steps"] if step["code"] == code]


def happened(moved: dict[str, Any], client: PlainInstaller) -> list[str]:
    return [event["happened"] for event in moved["events"] if event["subject"] == client.client_id]


def test_a_year_goes_by(running: RunningSandbox, http: httpx2.Client) -> None:
    careful = PlainInstaller(running.ready, http).set_up()
    careless = PlainInstaller(running.ready, http)
    first_draft = careless.draft().json()
    assert careless.decide().json()["status"] == "Success"
    careless.log_in()
    edi = PlainInstaller(running.ready, http, api_key=EDI)
    edi.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
    assert edi.approve(scope=MSH).is_success
    unconfirmed = PlainInstaller(running.ready, http)
    assert unconfirmed.draft().status_code == 201
    begun, renewals = now_of(careful), 0

    while now_of(careful) < begun + timedelta(seconds=YEAR):
        window = window_of(careful)
        assert now_of(careful) < window["from"] < window["to"]
        assert steps_by_code(onboarding_of(careful), "renewKey") == []
        into = window["from"] - now_of(careful) + timedelta(days=1)
        moved = careful.pass_time(into.total_seconds())
        assert "clientKey.ended" not in [
            event["happened"]
            for event in moved["events"]
            if (event["details"] or {}).get("key") == careful.key.thumbprint
        ]
        careful.log_in()
        edi.log_in()
        reminded = onboarding_of(careful)
        assert reminded["outcome"] == "ready"
        [reminder] = steps_by_code(reminded, "renewKey")
        assert (reminder["status"], reminder["blocking"]) == ("current", False)
        assert reminder["reasonCode"] == "keyExpiresSoon"
        assert datetime.fromisoformat(reminder["since"]) == window["from"]
        renew(careful)
        renew(edi)
        renewals += 1
    # The key that was replaced last has its grace left.
    careful.pass_time(2 * DAY)

    assert renewals >= 5
    careful.log_in()
    assert [key["kid"] for key in careful.live_keys()] == [careful.key.thumbprint]
    assert {status for status, _ in careful.scopes().values()} == {"ok"}
    edi.log_in(scope=MSH)
    ended = careful.call("GET", "client-secret?include=all").json()
    assert [key["state"] for key in ended] == ["retired"] * renewals + ["active"]

    # Whoever did not renew is told no, here and at the issuer, and nothing else has changed.
    assert careless.ask_for_token().json()["error"] == "invalid_client"
    assert careless.call("GET", "client").status_code == 401
    stuck = read_by_token(careless, first_draft)
    assert (stuck["outcome"], stuck["state"]) == ("pending", "waitingForKey")
    assert (stuck["usableScopes"], stuck["keyExpiresAt"]) == ([], None)
    [step] = steps_by_code(stuck, "renewKey")
    assert (step["status"], step["blocking"]) == ("current", True)
    assert step["reasonCode"] == "noUsableKey"
    # A draft is gone thirty days after it has expired.
    assert unconfirmed.decide().status_code == 404
    # A new installation goes its way as on the first day.
    PlainInstaller(running.ready, http).set_up()
    assert "The trail is whole" in verified(running)


def test_the_reminder_comes_with_the_window_and_goes_with_a_new_key(
    running: RunningSandbox, http: httpx2.Client
) -> None:
    client = PlainInstaller(running.ready, http).set_up()
    minute = timedelta(minutes=1)
    until_window = window_of(client)["from"] - now_of(client)
    client.pass_time((until_window - minute).total_seconds())
    assert steps_by_code(onboarding_of(client), "renewKey") == []
    client.pass_time(minute.total_seconds())
    [reminder] = steps_by_code(onboarding_of(client), "renewKey")
    assert reminder["actor"] == "supplier"
    assert reminder["actionExpiresAt"] == onboarding_of(client)["keyExpiresAt"]
    renew(client)
    assert steps_by_code(onboarding_of(client), "renewKey") == []


def replacing(old: PlainInstaller) -> tuple[PlainInstaller, dict[str, Any]]:
    """Another installation that says it is `old`, with a key of its own, and is confirmed."""
    assert old.client()  # so its key has been seen
    new = PlainInstaller(old.service, old.http)
    body = {"replacesKeysOf": old.client_id, "postClientConfirmationRedirectUri": None}
    answer = new.draft(**body)
    assert answer.status_code == 201, answer.text
    new.client_id = old.client_id
    assert new.decide().status_code == 200
    told: dict[str, Any] = answer.json()
    waiting = read_by_token(new, told)
    assert (waiting["outcome"], waiting["state"]) == ("pending", "waitingForKey")
    [step] = steps_by_code(waiting, "replaceKeys")
    assert (step["status"], step["blocking"]) == ("waiting", True)
    return new, told


def test_keys_said_to_be_lost_are_replaced_after_a_day(
    running: RunningSandbox, http: httpx2.Client
) -> None:
    old = PlainInstaller(running.ready, http).set_up()
    new, draft = replacing(old)
    told = onboarding_of(old)
    assert told["outcome"] == "ready"
    [step] = steps_by_code(told, "replaceKeys")
    assert (step["status"], step["reasonCode"]) == ("current", "keysSaidLost")
    moved = old.pass_time(DAY)
    assert "clientKeys.replaced" in happened(moved, old)
    assert old.ask_for_token().status_code == 400
    assert old.call("GET", "client").status_code == 401
    ready = read_by_token(new, draft)
    assert (ready["outcome"], steps_by_code(ready, "replaceKeys")) == ("ready", [])
    new.log_in()
    assert [key["jwkThumbprint"] for key in new.live_keys()] == [new.key.thumbprint]


def test_the_installation_that_is_in_use_stops_the_replacement(
    running: RunningSandbox, http: httpx2.Client
) -> None:
    old = PlainInstaller(running.ready, http).set_up()
    new, draft = replacing(old)
    assert old.call("DELETE", "client/key-replacement").status_code == 204
    assert steps_by_code(onboarding_of(old), "replaceKeys") == []
    old.pass_time(2 * DAY)
    old.log_in()
    declined = read_by_token(new, draft)
    assert (declined["outcome"], declined["state"]) == ("failed", "rejected")
    [step] = steps_by_code(declined, "confirmClient")
    assert step["reasonDetail"] == "stopped"
    assert new.ask_for_token().status_code == 400


def verified(running: RunningSandbox) -> str:
    """What `onboarding audit verify` says, with the settings that the service has."""
    [worker] = [
        child
        for child in psutil.Process(running.ready.pid).children()
        if "sandbox_service.worker" in command_of(child)
    ]
    settings = {
        name: value for name, value in worker.environ().items() if name.startswith("ONBOARDING_")
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "audit", "verify"],
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout


def test_the_same_year_goes_the_same_way(running: RunningSandbox, http: httpx2.Client) -> None:
    """Begun anew with the same installers: the same things happen, in the same order."""
    years = []
    for _ in range(2):
        answer = http.post(f"{running.ready.control_url}/reset", timeout=120)
        assert answer.is_success, answer.text
        clients = [
            PlainInstaller(running.ready, http, organization=number).set_up()
            for number in ("310000019", "310000078")
        ]
        moved = clients[0].pass_time(YEAR)
        years.append([happened(moved, client) for client in clients])
    assert years[0] == years[1]
    assert years[0][0] == ["clientKey.ended"]
    assert years[0][1] == ["access.approved", "access.approved", "clientKey.ended"]
