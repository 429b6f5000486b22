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


def happened(moved: dict[str, Any], client: PlainInstaller) -> list[str]:
    return [event["happened"] for event in moved["events"] if event["subject"] == client.client_id]


def test_a_year_goes_by(running: RunningSandbox, http: httpx2.Client) -> None:
    careful = PlainInstaller(running.ready, http).set_up()
    careless = PlainInstaller(running.ready, http).set_up()
    edi = PlainInstaller(running.ready, http, api_key=EDI)
    edi.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
    assert edi.approve(scope=MSH).is_success
    unconfirmed = PlainInstaller(running.ready, http)
    assert unconfirmed.draft().status_code == 201
    begun, renewals = now_of(careful), 0

    while now_of(careful) < begun + timedelta(seconds=YEAR):
        window = window_of(careful)
        assert now_of(careful) < window["from"] < window["to"]
        into = window["from"] - now_of(careful) + timedelta(days=1)
        moved = careful.pass_time(into.total_seconds())
        assert "clientKey.ended" not in [
            event["happened"]
            for event in moved["events"]
            if (event["details"] or {}).get("key") == careful.key.thumbprint
        ]
        careful.log_in()
        edi.log_in()
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
    # A draft is gone thirty days after it has expired.
    assert unconfirmed.decide().status_code == 404
    # A new installation goes its way as on the first day.
    PlainInstaller(running.ready, http).set_up()
    assert "The trail is whole" in verified(running)


def verified(running: RunningSandbox) -> str:
    """What `onboarding audit verify` says, with the settings that the service has."""
    [worker] = [
        child
        for child in psutil.Process(running.ready.pid).children()
        if "sandbox_worker" in command_of(child)
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
