"""Two worker processes are one service: what may happen once happens once."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

import httpx2
import psutil
import pytest

from tests.installers.keys import InstallersKey, ec_key
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.journeys.at_once import EIGHT, at_once, sent_at_once
from tests.journeys.stored import Stored
from tests.sandboxes import Ready, command_of

pytestmark = [pytest.mark.journey, pytest.mark.race]


@pytest.fixture
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up()


def request(client: PlainInstaller, method: str, path: str, body: object = None) -> httpx2.Request:
    """With a proof of its own, made now."""
    headers = client.authorization(method, path)
    return client.http.build_request(method, client.url(path), json=body, headers=headers)


def statuses(answers: Sequence[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def locked(table: str, client: PlainInstaller) -> str:
    return f"SELECT FROM {table} WHERE client_id = '{client.client_id}' FOR UPDATE"


def rows_of(client: PlainInstaller) -> tuple[str, ...]:
    """What a change of a client may begin with."""
    return locked("client_configurations", client), locked("client_changes", client)


def test_the_service_has_two_processes(sandbox: Ready) -> None:
    [service] = [
        child
        for child in psutil.Process(sandbox.pid).children()
        if "create_service" in command_of(child)
    ]
    assert len(service.children()) >= 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "client", None),
        ("GET", "client-secret", None),
        ("PUT", "client", {"apiScopes": [CLIENT_SCOPE], "redirectUris": []}),
    ],
    ids=["client", "keys", "change"],
)
def test_a_proof_is_good_for_one_request(
    client: PlainInstaller, method: str, path: str, body: object
) -> None:
    answers = sent_at_once([request(client, method, path, body)] * 8)
    good = [answer for answer in answers if answer.is_success]
    assert len(good) == 1
    for answer in answers:
        if answer not in good:
            assert answer.status_code == 401
            assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
            assert "used before" in answer.json()["detail"]


def test_a_proof_is_spent_by_a_request_that_was_refused(client: PlainInstaller) -> None:
    refused = request(client, "PUT", "client", {"apiScopes": "x"})
    assert client.http.send(refused).status_code == 400
    assert client.http.send(refused).status_code == 401


def test_never_more_than_ten_keys_live(client: PlainInstaller, stored: Stored) -> None:
    for _ in range(8):
        assert client.post_key(ec_key().members).status_code == 200
    new = [ec_key().members for _ in EIGHT]
    requests = [request(client, "POST", "client-secret", jwk) for jwk in new]
    with stored.held(*rows_of(client)) as let_go:
        answers = sent_at_once(requests, then=let_go)
    assert statuses(answers) == {200: 1, 400: 7}
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json()["errors"][0]["code"] == "too_many_keys"
            assert answer.json()["property"] == "publicJwk"
    assert len(client.live_keys()) == 10
    assert stored_keys(stored, client) == 10


def test_one_key_posted_eight_times_is_one_key(client: PlainInstaller, stored: Stored) -> None:
    jwk = ec_key().members
    requests = [request(client, "POST", "client-secret", jwk) for _ in EIGHT]
    with stored.held(*rows_of(client)) as let_go:
        answers = sent_at_once(requests, then=let_go)
    assert statuses(answers) == {200: 8}
    assert len({answer.json()["expiration"] for answer in answers}) == 1
    assert stored_keys(stored, client) == 2


def test_one_key_is_one_clients(sandbox: Ready, http: httpx2.Client) -> None:
    clients = [PlainInstaller(sandbox, http).set_up() for _ in EIGHT]
    jwk = ec_key().members
    answers = sent_at_once([request(one, "POST", "client-secret", jwk) for one in clients])
    assert statuses(answers) == {200: 1, 409: 7}
    assert sorted(len(one.live_keys()) for one in clients) == [1] * 7 + [2]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"].endswith("/problems/key-taken")
            # It tells nothing of the client that has the key.
            assert not any(one.client_id in answer.text for one in clients)


def test_eight_confirmations_make_one_client(
    sandbox: Ready, http: httpx2.Client, stored: Stored
) -> None:
    installer = PlainInstaller(sandbox, http)
    assert installer.draft().status_code == 201
    url = f"{sandbox.control_url}/clients/{installer.client_id}/decision"
    requests = [http.build_request("POST", url, json={"decision": "approve"}) for _ in EIGHT]
    with stored.held(locked("client_drafts", installer)) as let_go:
        answers = sent_at_once(requests, then=let_go)
    assert statuses(answers) == {200: 8}
    assert {answer.json()["status"] for answer in answers} == {"Success"}
    assert confirmations(stored, installer.client_id) == 1
    assert stored_keys(stored, installer) == 1
    installer.log_in()


def test_eight_persons_who_press_at_once_make_one_client(
    sandbox: Ready, http: httpx2.Client, stored: Stored
) -> None:
    installer = PlainInstaller(sandbox, http)
    link = installer.draft(postClientConfirmationRedirectUri=None).json()["confirmUrl"]
    with ExitStack() as stack:
        persons = [stack.enter_context(Person()) for _ in EIGHT]
        pages = at_once(lambda person: person.log_in(person.open(link)), persons)
        pressing = list(zip(persons, pages, strict=True))
        ends = at_once(lambda pair: pair[0].press(pair[1], "Bekreft"), pressing)
    assert {end.status for end in ends} == {200}
    assert all("Oppsettet er bekreftet" in end.text for end in ends)
    assert confirmations(stored, installer.client_id) == 1


def test_identical_drafts_reserve_nothing(sandbox: Ready, http: httpx2.Client) -> None:
    key = ec_key()
    drafts = [same_draft(sandbox, http, key) for _ in EIGHT]
    answers = sent_at_once([draft for _, draft in drafts])
    assert statuses(answers) == {201: 8}
    assert len({answer.json()["clientId"] for answer in answers}) == 8


def test_of_drafts_with_one_key_one_becomes_a_client(
    sandbox: Ready, http: httpx2.Client, stored: Stored
) -> None:
    key = ec_key()
    answers = sent_at_once([same_draft(sandbox, http, key)[1] for _ in EIGHT])
    ids = [answer.json()["clientId"] for answer in answers]
    decided = sent_at_once(
        [
            http.build_request(
                "POST",
                f"{sandbox.control_url}/clients/{client_id}/decision",
                json={"decision": "approve"},
            )
            for client_id in ids
        ]
    )
    assert statuses(decided) == {200: 1, 409: 7}
    assert sum(confirmations(stored, client_id) for client_id in ids) == 1


def same_draft(
    sandbox: Ready, http: httpx2.Client, key: InstallersKey
) -> tuple[PlainInstaller, httpx2.Request]:
    installer = PlainInstaller(sandbox, http, key)
    return installer, http.build_request(
        "POST",
        f"{sandbox.base_url}/v1/client-drafts",
        content=json.dumps(installer.body()),
        headers={"api-key": sandbox.api_key, "Content-Type": "application/json"},
    )


def confirmations(stored: Stored, client_id: str) -> int:
    found: int = stored.value(
        "SELECT count(*) FROM audit_events"
        " WHERE subject = $1 AND happened = 'clientDraft.confirmed'",
        client_id,
    )
    clients = stored.value(
        "SELECT count(*) FROM client_configurations WHERE client_id = $1::text::uuid", client_id
    )
    assert found == clients
    return found


def stored_keys(stored: Stored, client: PlainInstaller) -> int:
    found: int = stored.value(
        "SELECT count(*) FROM client_keys WHERE client_id = $1::text::uuid", client.client_id
    )
    return found
