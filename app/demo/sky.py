"""A newer product's wizard: it follows the onboarding, and activates what a person confirmed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2

from app.demo.failure import DemoFailed
from app.demo.installer import CLIENT_SCOPE, Installer, as_text

T = TypeVar("T")

API_KEY = "sandbox-sky"
ORGANIZATION = "310000019"
REDIRECT_URI = "http://localhost:1337/callback"
WAIT_SECONDS = 15
MARKS = {"done": "✓", "current": "▶", "waiting": "…", "blocked": "·", "failed": "✗"}


class Onboarding:
    """What the wizard follows: it waits for news, and polls nothing."""

    def __init__(self, installer: Installer, draft: dict[str, Any]) -> None:
        self._installer = installer
        self._url: str = draft["onboardingUrl"]
        self._authorization = {"Authorization": f"Bearer {draft['onboardingToken']}"}
        self._version = ""
        self._outcome = ""

    def read(self) -> None:
        self._installer.tell.sent("GET", self._url, self._authorization, None)
        self._show(self._ask(self._authorization))

    def wait_while(self, act: Callable[[], T]) -> T:
        """Ask for what is new, let it happen, and show it. Returns what `act` does."""
        headers = self._held()
        with ThreadPoolExecutor(1) as threads:
            self._installer.tell.sent("GET", self._url, headers, None)
            self._installer.tell.say("It is answered when there is something new. Meanwhile:")
            held = threads.submit(self._ask, headers)
            done = act()
            self._installer.tell.say("And the request that waited is answered:")
            self._show(held.result())
        return done

    def wait_until_ready(self) -> None:
        while self._outcome == "pending":
            self._installer.tell.say("It waits on:")
            self._show(self._ask(self._held()))
        if self._outcome != "ready":
            raise DemoFailed(f"The onboarding has ended as {self._outcome}.")

    def _held(self) -> dict[str, str]:
        asked = {"If-None-Match": self._version, "Prefer": f"wait={WAIT_SECONDS}"}
        return self._authorization | asked

    def _ask(self, headers: dict[str, str]) -> httpx2.Response:
        return self._installer.send("GET", self._url, expected=200, headers=headers, told=False)

    def _show(self, answer: httpx2.Response) -> None:
        onboarding = answer.json()
        self._version = answer.headers["ETag"]
        self._outcome = onboarding["outcome"]
        self._installer.tell.answered(answer, ["outcome", "state"])
        for step in onboarding["steps"]:
            mark, title = MARKS[step["status"]], step["title"]["en"]
            self._installer.tell.say(f"    {mark} {title} ({step['actorName']}): {step['status']}")


def play_sky(earlier: Installer) -> None:
    installer = Installer(earlier.places, earlier.http, earlier.tell)
    installer.nonce = earlier.nonce
    tell = installer.tell
    draft = _ask_for_client(installer)
    onboarding = Onboarding(installer, draft)
    tell.headline("The wizard asks what is missing, and who must act")
    onboarding.read()
    tell.headline("It waits for news while somebody at the office types the code, and confirms")
    came_to = onboarding.wait_while(lambda: _confirm(installer))
    tell.headline("The browser has brought a code back, and the installer activates its client")
    tell.say("So whoever sends the link to somebody else gets nothing: the code is not with him.")
    onboarding.wait_while(lambda: _activate(installer, draft, came_to))
    onboarding.wait_until_ready()
    tell.say("Nothing is missing any more. It asks for its token:")
    of_answer = ["token_type", "scope", "access_token"]
    installer.ask_for_token(expected=200, of_answer=of_answer)


def _ask_for_client(installer: Installer) -> dict[str, Any]:
    installer.tell.headline("A newer product, Fjord Sky, asks for a client with a key of its own")
    answer = installer.send(
        "POST",
        f"{installer.places.base_url}/v1/client-drafts",
        expected=201,
        headers={"api-key": API_KEY},
        json={
            "organizationNumber": ORGANIZATION,
            "apiScopes": [CLIENT_SCOPE],
            "postClientConfirmationRedirectUri": REDIRECT_URI,
            "publicJwk": as_text(installer.public_jwk),
        },
        of_answer=["clientId", "pairingCode", "activationUrl", "onboardingUrl"],
    )
    draft: dict[str, Any] = answer.json()
    installer.client_id = draft["clientId"]
    code = draft["pairingCode"]
    installer.tell.say(f"It shows {code}: whoever confirms has to type that on the page.")
    return draft


def _confirm(installer: Installer) -> str:
    """Returns where the person's browser came to."""
    answer = installer.send(
        "POST",
        f"{installer.places.control_url}/clients/{installer.client_id}/decision",
        expected=200,
        json={"decision": "approve"},
        of_answer=["status", "redirectUri"],
    ).json()
    if answer["status"] != "Success":
        raise DemoFailed(f"Not confirmed: {answer['status']}.")
    return str(answer["redirectUri"])


def _activate(installer: Installer, draft: dict[str, Any], came_to: str) -> None:
    [code] = parse_qs(urlsplit(came_to).query)["code"]
    url = draft["activationUrl"]
    signed = installer.key_proof(url, code=code)
    body = {"activation": signed}
    installer.send("POST", url, expected=200, json=body, of_answer=["clientId", "status"])
