"""A new installer: it shows the pairing code, and activates what a person has confirmed."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.installers.keys import key_proof
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready

SKY = "sandbox-sky"


class SkyInstaller(PlainInstaller):
    """`confirm_url`, `pairing_code` and `activation_url` are those of its newest draft."""

    def __init__(self, service: Ready, http: httpx2.Client, **more: Any) -> None:
        super().__init__(service, http, api_key=SKY, **more)

    def ask(self, **more: Any) -> Self:
        answer = self.draft(**more)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        self.confirm_url: str = told["confirmUrl"]
        self.pairing_code: str = told["pairingCode"]
        self.activation_url: str = told["activationUrl"]
        return self

    def activate(self, came_to: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """`came_to` is the address that the browser came to, or its path and query."""
        [code] = parse_qs(urlsplit(came_to).query)["code"]
        proof = key_proof(self.key, self.client_id, self.activation_url, code=code)
        return self.http.post(self.activation_url, json={"activation": proof}, headers=headers)
