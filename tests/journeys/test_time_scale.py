"""A sandbox in which a key lives for seconds, by the installer's own clock."""

import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.installers.keys import ec_key
from tests.installers.plain import EDI, PlainInstaller
from tests.sandboxes import eventually, sandbox

pytestmark = pytest.mark.journey
LIFE = timedelta(seconds=20)
F = timedelta(days=90) / LIFE
MSH = "nhn:msh/api"


def own_key(client: PlainInstaller) -> dict[str, Any]:
    [key] = [key for key in client.live_keys() if key["jwkThumbprint"] == client.key.thumbprint]
    return key


def sleep_until(moment: datetime) -> None:
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0))


def test_a_key_goes_through_its_life_in_seconds(http: httpx2.Client) -> None:
    options = ("--time-scale", str(F), "--exit-with-parent")
    with sandbox(*options, stdin=subprocess.DEVNULL) as here:
        unconfirmed = PlainInstaller(here.ready, http)
        assert unconfirmed.draft().status_code == 201
        client = PlainInstaller(here.ready, http)
        begun = datetime.now(UTC)
        client.set_up()
        key = own_key(client)
        ends = datetime.fromisoformat(key["expiration"])
        assert begun + LIFE <= ends <= datetime.now(UTC) + LIFE

        window = {name: datetime.fromisoformat(at) for name, at in key["renewalWindow"].items()}
        assert begun < window["from"] < window["to"] == ends

        old, new = client.key, ec_key()
        assert client.post_key(new.members).status_code == 200
        client.key = new
        client.log_in()
        # Its grace of a day is over at once.
        assert client.call("DELETE", f"client-secret/{old.thumbprint}").status_code == 204
        ends = datetime.fromisoformat(own_key(client)["expiration"])
        assert eventually(lambda: [key["kid"] for key in client.live_keys()] == [new.thumbprint])
        client.log_in()

        # Altinn sees it half a minute late, by the sandbox's time.
        edi = PlainInstaller(here.ready, http, organization="310000205", api_key=EDI)
        edi.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
        assert edi.approve(scope=MSH).is_success
        assert eventually(lambda: edi.scopes()[MSH] == ("ok", None), within=10)

        sleep_until(ends)
        assert eventually(lambda: not client.ask_for_token().is_success, within=3)
        assert client.ask_for_token().json()["error"] == "invalid_client"
        assert eventually(lambda: client.call("GET", "client").status_code == 401)
        assert unconfirmed.decide().json()["status"] == "Expired"
