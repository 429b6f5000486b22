"""The wizard's loop over sockets: how often it has to ask, and what it is told."""

import threading
import time
from typing import Any

import httpx2
import pytest

from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.journeys.test_organization_numbers import SCOPES
from tests.onboardings.wizards import told
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
MSH = "nhn:msh/api"


class Wizard:
    """Shows what is so, and waits for what comes: it knows `outcome` and nothing more."""

    def __init__(self, client: PlainInstaller, **members: Any) -> None:
        answer = client.draft(**members)
        assert answer.status_code == 201, answer.text
        created = answer.json()
        self.client, self.url = client, created["onboardingUrl"]
        self.token = {"Authorization": f"Bearer {created['onboardingToken']}"}
        self.tag: str | None = None
        self.seen: list[dict[str, Any]] = []
        self.asked = 0

    def ask(self, wait: int = 25) -> httpx2.Response:
        known = {"If-None-Match": self.tag, "Prefer": f"wait={wait}"} if self.tag else {}
        with httpx2.Client(trust_env=False, timeout=40) as http:
            answer = http.get(self.url, headers=self.token | known)
        self.asked += 1
        if answer.status_code == 200:
            self.tag = answer.headers["etag"]
            self.seen.append(answer.json())
        return answer

    def until(self, outcome: str, within: float = 60) -> dict[str, Any]:
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                answer = self.ask()
            except httpx2.TransportError:  # the service is away for a moment
                time.sleep(0.2)
                continue
            assert answer.status_code in (200, 304, 503), answer.text
            if self.seen and self.seen[-1]["outcome"] == outcome:
                return self.seen[-1]
        raise AssertionError(self.seen[-1])

    def states(self) -> list[str]:
        return [onboarding["state"] for onboarding in self.seen]


def later(seconds: float, do: Any) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


def test_a_normal_onboarding_needs_four_requests_at_most(
    sandbox: Ready, http: httpx2.Client
) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http), apiScopes=SCOPES)
    pressing = later(0.5, wizard.client.decide)
    ready = wizard.until("ready")
    pressing.join()
    assert wizard.asked <= 4
    assert wizard.states()[0] == "waitingForConfirmation"
    assert ready["usableScopes"] == SCOPES
    assert ready["keyExpiresAt"] is not None
    assert all(step["status"] == "done" for step in ready["steps"])
    assert wizard.client.ask_for_token(scope=SCOPES[1]).is_success


def test_051_tells_whom_it_waits_for(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000051"), apiScopes=SCOPES)
    wizard.ask()
    wizard.client.decide()
    wizard.client.log_in()
    while wizard.seen[-1]["state"] != "waitingForApproval":
        assert wizard.ask().status_code == 200
    waiting = [step for step in wizard.seen[-1]["steps"] if step["code"] == "approveScope"]
    assert [step["affects"] for step in waiting] == [[scope] for scope in SCOPES[1:]]
    for step in waiting:
        assert (step["actor"], step["actorName"]) == ("apiOwner", "Norsk helsenett SF")
        assert (step["status"], step["actionUrl"]) == ("waiting", None)
        assert told(
            step,
            nb="du trenger ikke gjøre noe",
            nn="du treng ikkje gjere noko",
            en="there is nothing you need do",
        )
    approving = later(0.3, lambda: [wizard.client.approve(scope=scope) for scope in SCOPES[1:]])
    assert wizard.until("ready")["usableScopes"] == SCOPES
    approving.join()


def test_086_is_ready_without_what_was_refused(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000086"), apiScopes=SCOPES)
    wizard.client.decide()
    ready = wizard.until("ready")
    assert ready["usableScopes"] == SCOPES[:2]
    [refused] = [step for step in ready["steps"] if step["status"] == "failed"]
    assert (refused["code"], refused["blocking"]) == ("approveScope", False)
    assert refused["reasonCode"] == "apiScopeAccessRejected"
    assert told(refused, nb="har avslått", nn="har avslått", en="has refused")


def test_027_fails_with_the_reason(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000027"))
    wizard.ask()
    declining = later(0.3, wizard.client.decide)
    failed = wizard.until("failed")
    declining.join()
    assert failed["state"] == "rejected"
    [step] = failed["steps"]
    assert (step["status"], step["reasonCode"]) == ("failed", "declined")
    assert step["reasonDetail"] == "notOrdered"
    assert told(
        step,
        nb="ikke har bestilt dette",
        nn="ikkje har bestilt dette",
        en="has not ordered this",
    )


def test_043_has_expired(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000043"))
    failed = wizard.until("failed")
    assert failed["state"] == "expired"
    assert failed["steps"][0]["reasonCode"] == "expired"
    assert told(
        failed["steps"][0],
        nb="Ingen bekreftet i tide.",
        nn="Ingen stadfesta i tide.",
        en="Nobody confirmed in time.",
    )
    assert failed["steps"][0]["actionUrl"] is None


def test_183_leads_to_altinn_and_notices(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http, organization="310000183", api_key=EDI)
    wizard = Wizard(client, audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
    wizard.ask()
    client.decide()
    client.approve(scope=MSH)
    right: dict[str, Any] = {}
    while right.get("reasonCode") != "delegationMissing":
        wizard.ask()
        [right] = [s for s in wizard.seen[-1]["steps"] if s["code"] == "delegateRight"]
    assert (right["actor"], right["status"], right["stale"]) == ("accessManager", "current", False)
    assert told(right, nb="har ikke gitt", nn="har ikkje gitt", en="has not given")
    assert right["actionUrl"].endswith("/am-ui/accessmanagement/ui")
    assert right["affects"] == [MSH]
    press = {"from": "310000183", "to": "310700029", "right": "nhn-helseid-databehandler"}
    controls = f"{sandbox.control_url}/delegations"
    http.post(controls, json=press | {"action": "grant"})
    began = time.monotonic()
    assert wizard.until("ready")["usableScopes"] == [CLIENT_SCOPE, MSH]
    assert time.monotonic() - began < 10
    http.post(controls, json=press | {"action": "revoke"})
