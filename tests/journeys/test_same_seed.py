"""The same story, told by the same seed in another sandbox, goes the same way for each client."""

import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeAlias

import httpx2
import pytest

from tests.installers.plain import EDI, EPJ, PlainInstaller
from tests.sandboxes import eventually, sandbox

pytestmark = pytest.mark.journey
DAY = 86_400
MSH = "nhn:msh/api"
CLAIM = {"audienceSpecificClientClaims": [{"key": "herid", "value": "0"}]}
CLIENTS = {
    "310000019": EPJ,
    "310000078": EPJ,  # one scope is granted after a minute
    "310000086": EPJ,  # one is refused
    "310000191": EDI,  # the right is withdrawn after a minute
    "310000205": EDI,  # and here it is seen late
}
WORD = re.compile(r"[^\s]{1,30}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
OTHERS_EACH_TIME = {"pairingCode", "traceId", "instance", "expires_in"}

Seen: TypeAlias = list[Any]


class Watching(PlainInstaller):
    """Keeps all that it is answered, without what is another in each run."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.seen: Seen = []
        self.http = httpx2.Client(
            trust_env=False, timeout=30, event_hooks={"response": [self._keep]}
        )

    def _keep(self, answer: httpx2.Response) -> None:
        answer.read()
        path = [part for part in answer.request.url.path.split("/") if len(part) <= 30]
        body = answer.json() if "json" in answer.headers.get("content-type", "") else None
        entry = [answer.request.method, "/".join(path), answer.status_code, nameless(body)]
        # How often it has to ask until the issuer knows it is a matter of time.
        if self.seen[-1:] != [entry]:
            self.seen.append(entry)

    def log_in_at_last(self) -> None:
        def has_token() -> bool:
            answer = self.ask_for_token()
            self.token = answer.json().get("access_token", "")
            return answer.is_success

        assert eventually(has_token)

    def look_around(self) -> None:
        onboarding = f"onboardings/{self.client_id}"
        for path in ("client", "client-secret", "client/delegations", onboarding):
            self.call("GET", path)
        self.ask_for_token()


def nameless(value: Any) -> Any:
    """In the order in which it came, lists and members alike."""
    if isinstance(value, list):
        return [nameless(one) for one in value]
    if isinstance(value, dict):
        return [
            (name, nameless(one)) for name, one in value.items() if name not in OTHERS_EACH_TIME
        ]
    if isinstance(value, str):
        return value if WORD.fullmatch(value) and not MOMENT.match(value) else "…"
    return value


def told_story(seed: int, chapters: Sequence[int]) -> tuple[dict[str, Seen], dict[str, Seen]]:
    """What each client saw, and what the trail tells of each. A chapter has so many days."""
    options = ("--strict", str(seed), "--exit-with-parent")
    with sandbox(*options, stdin=subprocess.DEVNULL) as here, ExitStack() as stack:
        clients = {
            number: Watching(here.ready, None, organization=number, api_key=api_key)
            for number, api_key in CLIENTS.items()
        }
        for client in clients.values():
            stack.callback(client.http.close)
            answer = client.draft(**(CLAIM if client.api_key == EDI else {}))
            assert answer.status_code == 201, answer.text
            assert client.decide().json()["status"] == "Success"
        for client in clients.values():
            client.log_in_at_last()
            if client.api_key == EDI:
                assert client.approve(scope=MSH).is_success
        events = []
        for days in chapters:
            events += clients["310000019"].pass_time(days * DAY)["events"]
            for client in clients.values():
                client.look_around()
        seen = {number: client.seen for number, client in clients.items()}
        return seen, {number: trail_of(client, events) for number, client in clients.items()}


def trail_of(client: PlainInstaller, events: list[dict[str, Any]]) -> Seen:
    found = []
    for event in events:
        if event["subject"] == client.client_id:
            what = {name: nameless(one) for name, one in (event["details"] or {}).items()}
            what.pop("delegation", None)  # its id
            found.append((event["happened"], what))
    return found


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    with ThreadPoolExecutor(3) as threads:
        (seen, trail), (seen_again, trail_again), (seen_otherwise, _) = threads.map(
            told_story, (7, 7, 8), ((0, 40, 51), (0, 40, 51), (0,))
        )
    for number in CLIENTS:
        assert seen[number] == seen_again[number], number
        assert trail[number] == trail_again[number], number
    assert [happened for happened, _ in trail["310000078"]][-1] == "clientKey.ended"
    assert "delegation.changed" in [happened for happened, _ in trail["310000191"]]
    begun = {number: seen[number][: len(seen_otherwise[number])] for number in CLIENTS}
    assert begun != seen_otherwise
