"""Fjord Sky over sockets: what a person confirms begins when the program has activated it."""

import httpx2
import pytest

from tests.installers.keys import claims_of, ec_key
from tests.installers.sky import SkyInstaller
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey


def test_a_new_installer_activates_and_gets_its_token(sandbox: Ready, http: httpx2.Client) -> None:
    sky = SkyInstaller(sandbox, http).ask()
    decided = sky.decide().json()
    assert decided["status"] == "Success"
    assert decided["redirectUri"].startswith("http://localhost:1337/callback?status=Success&code=")
    assert sky.decide().json() == decided
    assert sky.ask_for_token().status_code == 400

    first = sky.activate(decided["redirectUri"])
    assert first.json() == {"clientId": sky.client_id, "status": "confirmed"}, first.text
    assert sky.activate(decided["redirectUri"]).content == first.content
    sky.log_in()
    assert claims_of(sky.token)["client_id"] == sky.client_id
    assert [key["jwkThumbprint"] for key in sky.live_keys()] == [sky.key.thumbprint]


def test_who_has_the_code_without_the_key_gets_nothing(sandbox: Ready, http: httpx2.Client) -> None:
    sky = SkyInstaller(sandbox, http).ask()
    came_to = sky.decide().json()["redirectUri"]
    own, sky.key = sky.key, ec_key()
    refused = sky.activate(came_to)
    assert refused.status_code == 400
    assert refused.json()["type"].endswith("/problems/key-proof-refused")
    sky.key = own
    assert sky.ask_for_token().status_code == 400
