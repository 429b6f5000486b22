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


def told_time(client: PlainInstaller) -> tuple[datetime, float]:
    clock = client.http.get(f"{client.service.control_url}/clock").json()
    return datetime.fromisoformat(clock["now"]), clock["aheadSeconds"]


def test_scaled_time_can_be_moved_and_goes_on_from_there(http: httpx2.Client) -> None:
    """The seconds of a jump are those of the clock that all moments are told by."""
    options = ("--time-scale", "100", "--exit-with-parent")
    with sandbox(*options, stdin=subprocess.DEVNULL) as here:
        unconfirmed = PlainInstaller(here.ready, http)
        draft = unconfirmed.draft().json()
        waiting = http.get(
            draft["onboardingUrl"], headers={"Authorization": f"Bearer {draft['onboardingToken']}"}
        )
        assert waiting.json()["pollAfterSeconds"] == 1  # of 5 s
        assert waiting.headers["retry-after"] == "1"
        client = PlainInstaller(here.ready, http).set_up()
        assert client.onboarding()["pollAfterSeconds"] == 36  # of an hour
        ends = datetime.fromisoformat(own_key(client)["expiration"])
        life = ends - datetime.now(UTC)
        assert timedelta(0) <= timedelta(days=90) / 100 - life < timedelta(minutes=1)

        # A draft's day is 14 min 24 s, and the owner's and Altinn's waits are over long before.
        edi = PlainInstaller(here.ready, http, organization="310000205", api_key=EDI)
        edi.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
        assert edi.approve(scope=MSH).is_success
        moved = client.pass_time(15 * 60)
        assert unconfirmed.decide().json()["status"] == "Expired"
        assert edi.scopes()[MSH] == ("ok", None)
        client.log_in()
        assert "expiring drafts" in [ran["job"] for ran in moved["ran"]]

        # The stand-ins agree: what Altinn is told now it notices by the same clock.
        settings = {"propagationSeconds": 3_600}
        assert http.put(f"{here.ready.control_url}/altinn/settings", json=settings).is_success
        late = PlainInstaller(here.ready, http, organization="310000183", api_key=EDI)
        late.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])
        assert late.approve(scope=MSH).is_success
        given = {"from": "310000183", "to": "310700029", "right": "nhn-helseid-databehandler"}
        assert http.post(f"{here.ready.control_url}/delegations", json=given).is_success
        client.pass_time(3_500)
        assert late.scopes()[MSH][0] == "pending"
        client.pass_time(7_200)
        assert late.scopes()[MSH] == ("ok", None)

        # From there time goes by as it always does: the key ends by itself.
        for left in (120, 5):  # the first takes a while
            now, _ = told_time(client)
            client.pass_time((ends - now).total_seconds() - left)
        client.log_in()
        before, ahead = told_time(client)
        assert eventually(lambda: not client.ask_for_token().is_success, within=10)
        after, still_ahead = told_time(client)
        assert still_ahead == ahead
        assert before < ends <= after
        assert client.call("GET", "client").status_code == 401
