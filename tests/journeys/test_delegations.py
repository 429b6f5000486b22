"""Rights in Altinn decide whether a client's scope can be used: EDI-klient needs one."""

import time
from typing import Any

import httpx2
import pytest

from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
OK = ("ok", None)
MSH = "nhn:msh/api"
SUPPLIER = "310700029"
RIGHT = "nhn-helseid-databehandler"


def edi_client(service: Ready, http: httpx2.Client, number: str) -> PlainInstaller:
    client = PlainInstaller(service, http, organization=number, api_key=EDI)
    return client.set_up(audienceSpecificClientClaims=[{"key": "herid", "value": "0"}])


def press(client: PlainInstaller, action: str) -> None:
    """What a person with access management does at Altinn's page."""
    body = {"from": client.organization, "to": SUPPLIER, "right": RIGHT, "action": action}
    answer = client.http.post(f"{client.service.control_url}/delegations", json=body)
    assert answer.is_success, answer.text


def msh(client: PlainInstaller) -> tuple[str, str | None]:
    return client.scopes()[MSH]


def has_token(client: PlainInstaller) -> bool:
    return client.ask_for_token(scope=MSH).is_success


def test_019_can_be_used_once_its_api_has_approved(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000019")
    assert eventually(lambda: msh(client) == ("pending", "apiAccessPending"), within=6)
    assert not has_token(client)
    assert client.approve(scope=MSH).is_success
    assert msh(client) == OK
    assert eventually(lambda: has_token(client))


def test_183_waits_until_somebody_gives_the_right(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000183")
    assert client.approve(scope=MSH).is_success
    assert eventually(lambda: msh(client) == ("pending", "delegationMissing"), within=6)
    [reason] = [
        entry["statusReason"]
        for entry in client.client()["apiScopes"]
        if entry["statusReasonCode"] == "delegationMissing"
    ]
    assert "310000183" in reason
    assert "Fjord Systemer AS (310700029)" in reason
    assert "Databehandler" in reason
    assert not has_token(client)

    press(client, "grant")
    pressed = time.monotonic()
    assert eventually(lambda: msh(client) == OK, within=6)
    assert eventually(lambda: has_token(client), within=6 - (time.monotonic() - pressed))
    assert client.scopes()[CLIENT_SCOPE] == OK
    press(client, "revoke")


def test_183_stands_in_the_list_with_who_must_act(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000183")

    def record() -> dict[str, Any]:
        answer = client.call("GET", "client/delegations")
        assert answer.status_code == 200, answer.text
        [found] = answer.json()["items"]
        return dict(found)

    assert eventually(lambda: record()["state"] == "missing", within=6)
    assert (
        record().items()
        >= {
            "from": "310000183",
            "to": SUPPLIER,
            "toName": "Fjord Systemer AS",
            "right": RIGHT,
            "stale": False,
            "source": "maskinportenDelegations",
        }.items()
    )
    one = f"client/delegations/{record()['id']}"
    asked = client.call("POST", f"{one}/requests").json()
    # Altinn takes no requests for bundles of scopes.
    assert asked["requested"] is False
    assert asked["actionUrl"].endswith("/am-ui/accessmanagement/ui")
    assert "Databehandler" in asked["steps"]["nb"]

    press(client, "grant")
    checked = client.call("POST", f"{one}/checks")
    assert checked.status_code == 200, checked.text
    assert eventually(lambda: record()["state"] == "active", within=6)
    again = client.call("POST", f"{one}/checks")
    assert again.status_code == 429
    assert 0 < int(again.headers["retry-after"]) <= 10
    press(client, "revoke")


def test_191_is_withdrawn_after_a_minute(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000191")
    assert client.approve(scope=MSH).is_success
    assert eventually(lambda: msh(client) == OK, within=6)
    client.pass_time(61)
    # Altinn tells nobody, and what is given is asked about once or twice a day.
    assert has_token(client)
    [record] = client.call("GET", "client/delegations").json()["items"]
    checked = client.call("POST", f"client/delegations/{record['id']}/checks")
    assert checked.json()["state"] == "suspect"
    # One no is doubted for a while.
    moved = client.pass_time(3600)
    states = [
        event["details"]["after"]
        for event in moved["events"]
        if event["happened"] == "delegation.changed" and event["subject"] == client.client_id
    ]
    assert states == ["revoked"]
    assert msh(client) == ("pending", "delegationRevoked")
    assert not has_token(client)


def test_205_is_seen_late(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000205")
    assert client.approve(scope=MSH).is_success
    client.pass_time(25)
    assert msh(client) == ("pending", "delegationMissing")
    client.pass_time(3600)
    assert msh(client) == OK
    assert has_token(client)


def test_213_is_not_known_and_slows_nothing_down(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000213")
    assert client.approve(scope=MSH).is_success
    until = time.monotonic() + 5
    while time.monotonic() < until:
        began = time.monotonic()
        assert msh(client) == ("pending", "delegationUnknown")
        assert time.monotonic() - began < 1
        time.sleep(0.2)


def test_221_contradicts_itself_and_is_never_revoked(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000221")
    until = time.monotonic() + 4
    while time.monotonic() < until:
        assert msh(client)[1] != "delegationRevoked"
        time.sleep(0.2)
