"""Rights in Altinn decide whether a client's scope can be used: EDI-klient needs one."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.adapters.altinn_calls import TRIES
from tests.installers.keys import ec_key
from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.journeys.stored import Stored
from tests.onboardings.wizards import right_in
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey
OK = ("ok", None)
MSH = "nhn:msh/api"
SUPPLIER = "310700029"
# Calls that each of Altinn's products gets; the sandbox would allow a hundred times as many.
A_MINUTE = 60
# About one record in an hour of failures: half a minute later, then ever later.
ASKED_AT_MOST = 12
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
    assert eventually(lambda: right_in(client.onboarding()) == ("ready", "done", None), within=6)
    assert msh(client) == OK
    client.pass_time(61)
    # Altinn tells nobody, and what is given is asked about once or twice a day.
    assert has_token(client)
    [record] = client.call("GET", "client/delegations").json()["items"]
    checked = client.call("POST", f"client/delegations/{record['id']}/checks")
    assert checked.json()["state"] == "suspect"
    # One no is doubted for a while.
    assert right_in(client.onboarding())[:2] == ("ready", "waiting")
    assert states_in(client.pass_time(3600), client) == ["revoked"]
    assert right_in(client.onboarding()) == ("pending", "current", "delegationRevoked")
    assert msh(client) == ("pending", "delegationRevoked")
    assert not has_token(client)


def test_205_is_seen_late(sandbox: Ready, http: httpx2.Client) -> None:
    client = edi_client(sandbox, http, "310000205")
    assert client.approve(scope=MSH).is_success
    client.pass_time(25)
    assert msh(client) == ("pending", "delegationMissing")
    assert right_in(client.onboarding())[:2] == ("pending", "current")
    client.pass_time(3600)
    assert (msh(client), right_in(client.onboarding())[:2]) == (OK, ("ready", "done"))
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
    moved = client.pass_time(1500)
    assert "revoked" not in states_in(moved, client)
    assert msh(client)[1] == "delegationMissing"


def test_a_call_that_starts_to_contradict_the_other_takes_nothing_away(
    sandbox: Ready, http: httpx2.Client, faults: str
) -> None:
    client = usable_client(sandbox, http, "310500003")
    assert http.put(faults, json=[{"target": "altinn", "special": "contradiction"}]).is_success
    states: list[str] = []
    for _ in range(2):
        assert client.call("POST", f"{path_of(client)}/checks").is_success
        states += states_in(client.pass_time(1200), client)
        assert msh(client) == OK
    assert states
    assert set(states) <= {"suspect", "active"}
    assert has_token(client)


def test_an_hour_without_altinn_loses_and_invents_nothing(
    sandbox: Ready, http: httpx2.Client, faults: str, stored: Stored
) -> None:
    given = usable_client(sandbox, http, "310500011")
    missing = edi_client(sandbox, http, "310000183")
    assert eventually(lambda: msh(missing) == ("pending", "delegationMissing"), within=6)
    before = record_of(given)
    calls = f"{sandbox.control_url}/altinn/calls"
    assert http.delete(calls).is_success
    assert http.put(faults, json=[{"target": "altinn", "status": 503}]).is_success
    for client in (given, missing):
        asked = time.monotonic()
        assert client.call("POST", f"{path_of(client)}/checks").is_success
        assert time.monotonic() - asked < 1.5
    moved = given.pass_time(3600)
    shown = record_of(given)
    assert (shown["state"], shown["stale"]) == ("active", True)
    assert shown["checkedAt"] == before["checkedAt"]
    assert (msh(given), has_token(given)) == (OK, True)
    assert msh(missing) == ("pending", "delegationMissing")
    counted = http.get(calls).json()
    records = stored.value("SELECT count(*) FROM delegations WHERE state <> 'notRequired'")
    most = min(A_MINUTE * 60, records * ASKED_AT_MOST * TRIES)
    assert 0 < counted["maskinportenDelegations"] + counted["authorizedParties"] <= most, counted

    assert http.delete(faults).is_success
    states = states_in(moved, given) + states_in(moved, missing)

    def is_asked_again() -> bool:
        later = given.pass_time(601)
        states.extend(states_in(later, given) + states_in(later, missing))
        return record_of(given)["stale"] is False

    # Who has failed is left alone for some real seconds.
    assert eventually(is_asked_again)
    assert record_of(given)["checkedAt"] > before["checkedAt"]
    assert states == []


def test_an_organization_that_is_deleted_marks_its_clients(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = usable_client(sandbox, http, "310500038")
    become(client, "merged")
    moved = client.pass_time(600)
    assert states_in(moved, client) == ["revokedSource"]
    assert marks_in(moved, client) == ["client.organizationMarked"]
    shown = record_of(client)
    assert (shown["fromMark"], shown["awaiting"], shown["actionUrl"]) == (
        "deleted",
        "endUser",
        None,
    )
    assert msh(client) == ("pending", "delegationSourceGone")
    assert not has_token(client)

    become(client, "live")
    moved = client.pass_time(600)
    assert marks_in(moved, client) == ["client.organizationUnmarked"]
    assert eventually(lambda: msh(client) == OK, within=6)
    assert record_of(client)["fromMark"] is None
    assert eventually(lambda: has_token(client))


def test_a_new_key_has_an_old_answer_of_altinns_asked_for_again(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = usable_client(sandbox, http, "310500046")
    client.pass_time(301)
    before = record_of(client)["checkedAt"]
    assert client.post_key(ec_key().members).status_code == 200
    assert eventually(lambda: record_of(client)["checkedAt"] > before, within=6)
    assert record_of(client)["state"] == "active"


@pytest.fixture
def faults(sandbox: Ready, http: httpx2.Client) -> Iterator[str]:
    """The control's address; the neighbours work again afterwards."""
    address = f"{sandbox.control_url}/faults"
    yield address
    assert http.delete(address).is_success


def usable_client(service: Ready, http: httpx2.Client, number: str) -> PlainInstaller:
    client = edi_client(service, http, number)
    assert client.approve(scope=MSH).is_success
    assert eventually(lambda: msh(client) == OK, within=6)
    return client


def record_of(client: PlainInstaller) -> dict[str, Any]:
    answer = client.call("GET", "client/delegations")
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["items"]
    return dict(found)


def path_of(client: PlainInstaller) -> str:
    return f"client/delegations/{record_of(client)['id']}"


def become(client: PlainInstaller, status: str) -> None:
    """What happens to the client's organization in Enhetsregisteret."""
    address = f"{client.service.control_url}/organizations/{client.organization}"
    assert client.http.post(address, json={"status": status}).is_success


def states_in(moved: dict[str, Any], client: PlainInstaller) -> list[str]:
    return [event["details"]["after"] for event in _events(moved, client, "delegation.changed")]


def marks_in(moved: dict[str, Any], client: PlainInstaller) -> list[str]:
    return [event["happened"] for event in _events(moved, client, "client.organization")]


def _events(moved: dict[str, Any], client: PlainInstaller, about: str) -> list[dict[str, Any]]:
    ours = [event for event in moved["events"] if event["subject"] == client.client_id]
    return [event for event in ours if event["happened"].startswith(about)]
