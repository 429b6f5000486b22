"""A client's keys, as the client adds and lists them."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import func, select, update

from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR, Happened
from app.client_configurations.operator import change_status
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyOrigin, KeyState, renewal_window
from app.client_keys.wire import StoredKey
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent
from app.notices.letters import letter_of
from app.notices.models import Notice
from app.notices.rules import NoticeKind, Recipient
from tests.client_keys.keys import SECRET, at_once, keys, kind, set_state, wanted
from tests.examples import NOW
from tests.installers.keys import ec_key
from tests.serving import Client, Service, a_draft, pointers

END = "2027-02-20T00:00:00Z"


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


async def test_a_key_is_usable_when_the_answer_comes(client: Client) -> None:
    key = ec_key("P-521", kid="nøkkel 2")
    answer = await client.post_key(key.members)
    assert answer.status_code == 200
    assert answer.json() == {
        "expiration": END,
        "kid": "nøkkel 2",
        "jwkThumbprint": key.thumbprint,
        "state": "active",
    }
    assert client.service.told == [(client.client_id, 2)]


async def test_an_issuer_that_is_away_is_said_to_be(client: Client) -> None:
    client.service.issuer_answers = False
    answer = await client.post_key(ec_key().members)
    assert answer.status_code == 200
    assert answer.json()["state"] == "activating"
    assert answer.json()["expiration"] == END


async def test_both_forms_of_the_body_and_text_from_a_file(client: Client) -> None:
    for form in (lambda jwk: jwk, json.dumps, lambda jwk: json.dumps(jwk, indent=4) + "\r\n\r\n"):
        for content_type in ("application/json", "application/json; charset=utf-8"):
            answer = await client.call(
                "POST", SECRET, form(ec_key().members), Content_Type=content_type
            )
            assert answer.status_code == 200, answer.text
    assert len(await keys(client)) == 7


async def test_the_list_is_what_the_contract_says(client: Client) -> None:
    listed = await keys(client)
    window = renewal_window(client.key.thumbprint, NOW, datetime.fromisoformat(END))
    assert window is not None
    assert listed == [
        {
            "expiration": END,
            "kid": client.key.members["kid"],
            "jwkThumbprint": client.key.thumbprint,
            "origin": "Api",
            "publicJwk": None,
            "state": "activating",
            "createdAt": "2026-11-22T12:00:00Z",
            "activeAt": None,
            "retiresAt": None,
            "renewalWindow": {"from": f"{window.begins_at:%Y-%m-%dT%H:%M:%SZ}", "to": END},
            "lastUsedAt": None,
            "leakedAt": None,
        }
    ]


async def test_a_registered_key_leaves_a_trail_and_is_published(client: Client) -> None:
    before = await wanted(client)
    key = ec_key()
    await client.post_key(key.members)
    assert await wanted(client) == (before[0] + 1, before[1] + 1)
    events = select(AuditEvent).where(AuditEvent.happened == Happened.KEY_ADDED)
    event = (await client.service.ask(events))[-1]
    assert event.actor == f"client:{client.client_id}"
    assert event.details == {"key": key.thumbprint}


async def test_a_live_key_again_gives_the_answer_that_stands(client: Client) -> None:
    key = ec_key()
    client.service.issuer_answers = False
    first = await client.post_key(key.members)
    before = await wanted(client)
    client.service.now = NOW + timedelta(days=3)
    second = await client.post_key(json.dumps(key.members))
    third = await client.post_key(key.members | {"kid": "another"})
    assert first.json() == second.json() == third.json()
    assert await wanted(client) == before
    assert len(await keys(client)) == 2


async def test_the_clients_own_first_key_again(client: Client) -> None:
    answer = await client.post_key(client.key.members)
    assert (answer.status_code, answer.json()["expiration"]) == (200, END)


async def test_a_key_without_an_end_is_given_one_that_installers_can_read(
    client: Client,
) -> None:
    await set_state(client, client.key, expires_at=None, origin=KeyOrigin.GUI)
    answer = await client.post_key(client.key.members)
    assert answer.json()["expiration"] == "9999-01-01T00:00:00Z"
    listed = (await keys(client))[0]
    assert (listed["expiration"], listed["origin"]) == (None, "Gui")


@pytest.mark.parametrize("state", [KeyState.RETIRED, KeyState.EXPIRED, KeyState.REVOKED])
async def test_a_key_that_has_ended_never_comes_back(client: Client, state: KeyState) -> None:
    key = ec_key()
    await client.post_key(key.members)
    await set_state(client, key, state=state)
    assert kind(await client.post_key(key.members)) == "key-taken"
    assert [each["state"] for each in await keys(client)] == ["activating"]
    assert {each["state"] for each in await keys(client, "all")} == {"activating", state}


async def test_the_key_of_another_client_is_taken_and_nothing_is_told_of_it(
    service: Service,
) -> None:
    one, other = await service.client(), await service.client()
    answer = await one.post_key(other.key.members)
    assert (answer.status_code, kind(answer)) == (409, "key-taken")
    assert str(other.client_id) not in answer.text
    assert len(await keys(one)) == 1


async def test_a_kid_names_one_key_for_ever(client: Client) -> None:
    first = ec_key(kid="same")
    await client.post_key(first.members)
    await set_state(client, first, state=KeyState.RETIRED)
    answer = await client.post_key(ec_key(kid="same").members)
    assert (answer.status_code, kind(answer)) == (400, "kid-taken")
    assert pointers(answer) == [("#/kid", "kid_taken")]
    assert answer.json()["property"] == "publicJwk"


async def test_the_same_kid_at_another_client_is_no_matter(service: Service) -> None:
    one, other = await service.client(), await service.client()
    for each in (one, other):
        assert (await each.post_key(ec_key(kid="same").members)).status_code == 200


async def test_ten_live_keys_are_the_most_and_none_is_dropped(client: Client) -> None:
    for _ in range(9):
        assert (await client.post_key(ec_key().members)).status_code == 200
    answer = await client.post_key(ec_key().members)
    assert (answer.status_code, kind(answer)) == (400, "too-many-keys")
    assert pointers(answer) == [("#", "too_many_keys")]
    assert len(await keys(client)) == 10
    assert (await client.post_key(client.key.members)).status_code == 200
    await set_state(client, client.key, state=KeyState.RETIRED)
    ended_keys_do_not_count = Client(client.service, client.client_id, ec_key())
    assert (await ended_keys_do_not_count.post_key(ec_key().members)).status_code == 200


BAD_KEYS: list[tuple[Any, list[tuple[str, str]]]] = [
    (b"", [("#", "missing")]),
    (b"{", [("#", "not_json")]),
    (b"\xff", [("#", "not_utf8")]),
    (7, [("#", "not_a_jwk")]),
    ("no JSON", [("#", "not_a_jwk")]),
    ([], [("#", "not_a_jwk")]),
    ({"keys": [ec_key().members]}, [("#", "not_a_jwk")]),
    (ec_key().members | {"use": "enc"}, [("#/use", "wrong_use")]),
    (ec_key().members | {"alg": "HS256"}, [("#/alg", "wrong_alg")]),
    (ec_key().members | {"kid": "x" * 257}, [("#/kid", "wrong_kid")]),
]


async def test_a_bad_key_is_refused_with_its_place(client: Client) -> None:
    for body, errors in BAD_KEYS:
        answer = await client.post_key(body)
        assert answer.status_code == 400, body
        assert [pointer for pointer, _ in pointers(answer)] == [at for at, _ in errors], body
        assert answer.json()["property"] == "publicJwk"
    assert len(await keys(client)) == 1


async def test_a_private_key_is_refused_marked_and_never_kept(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    private = client.key.private()
    spoilt = json.dumps(private)[:-1] + ",}"
    for body in (private, json.dumps(private), spoilt, spoilt.encode()):
        answer = await client.post_key(body)
        assert (answer.status_code, kind(answer)) == (400, "key-refused")
        assert pointers(answer)[0][1] == "private_key", body
        assert "considered leaked" in answer.json()["detail"]
        assert private["d"] not in answer.text
    leaked = select(ClientKey.leaked_at).where(ClientKey.thumbprint == client.key.thumbprint)
    assert await client.service.ask(leaked) == [NOW]
    events = select(AuditEvent).where(AuditEvent.happened == Happened.KEY_LEAKED)
    assert [event.subject for event in await client.service.ask(events)] == [str(client.client_id)]
    notices = select(Notice).where(Notice.kind == NoticeKind.KEY_LEAKED).order_by(Notice.id)
    told = await client.service.ask(notices)
    assert [notice.recipient for notice in told] == [Recipient.ORGANIZATION, Recipient.SUPPLIER]
    for notice in told:
        letter = letter_of(notice, client.service.settings)
        assert client.key.thumbprint in letter.text
        assert "{" not in letter.subject + letter.text
        assert private["d"] not in letter.text
    assert private["d"] not in "".join(capsys.readouterr())


async def test_a_key_that_has_ended_is_not_marked_as_leaked(client: Client) -> None:
    second = ec_key()
    await client.post_key(second.members)
    await set_state(client, second, state=KeyState.RETIRED)
    await client.post_key(second.private())
    leaked = select(ClientKey.leaked_at).where(ClientKey.thumbprint == second.thumbprint)
    assert await client.service.ask(leaked) == [None]


async def test_the_key_of_a_closed_client_is_not_marked_as_leaked(client: Client) -> None:
    """Its client system may have left the catalogue since."""
    service = client.service
    async with service.database.sessions() as db:
        await change_status(db, client.client_id, ClientEvent.CLOSE, actor=OPERATOR, now=NOW)
    async with service.database.sessions.begin() as db:
        gone = update(ClientConfiguration).values(client_system_id="gone")
        await db.execute(gone.where(ClientConfiguration.client_id == client.client_id))
    sent = a_draft() | {"publicJwk": json.dumps(client.key.private())}
    assert kind(await service.draft(sent)) == "key-refused"
    leaked = select(ClientKey.leaked_at).where(ClientKey.thumbprint == client.key.thumbprint)
    assert await service.ask(leaked) == [None]


async def test_without_proof_no_key_is_declared_leaked(client: Client) -> None:
    forged = client.key.members | {"d": ec_key().private()["d"]}
    assert kind(await client.post_key(forged)) == "key-refused"
    leaked = select(ClientKey.leaked_at).where(ClientKey.thumbprint == client.key.thumbprint)
    assert await client.service.ask(leaked) == [None]


async def test_the_last_use_of_a_key_is_what_came_to_us(client: Client) -> None:
    async def used() -> Any:
        return (await keys(client))[0]["lastUsedAt"]

    assert await used() is None
    assert await used() == "2026-11-22T12:00:00Z"
    client.service.now = NOW + timedelta(seconds=61)
    await client.post_key(ec_key().members)
    assert await used() == "2026-11-22T12:01:01Z"


async def nine_live_keys(client: Client) -> None:
    async with client.service.database.sessions.begin() as db:
        for _ in range(8):
            name = uuid4().hex
            jwk = {
                name: str(value)
                for name, value in ECKey.generate_key("P-256").as_dict(private=False).items()
            }
            db.add(
                ClientKey(
                    thumbprint=name,
                    client_id=client.client_id,
                    kid=name,
                    public_key=StoredKey(name, name, jwk),
                    origin=KeyOrigin.API,
                    created_at=NOW,
                )
            )


@pytest.mark.race
async def test_of_eight_keys_at_nine_one_is_the_tenth(client: Client) -> None:
    await nine_live_keys(client)
    found = await at_once(8, lambda _: client.post_key(ec_key().members))
    assert found == {"ok": 1, "too-many-keys": 7}
    live = select(func.count()).where(ClientKey.client_id == client.client_id)
    assert await client.service.ask(live) == [10]


@pytest.mark.race
async def test_the_same_key_eight_times_at_once_is_registered_once(client: Client) -> None:
    key = ec_key()
    assert await at_once(8, lambda _: client.post_key(key.members)) == {"ok": 8}
    assert len(await keys(client)) == 2


@pytest.mark.race
async def test_of_eight_clients_with_one_key_one_gets_it(service: Service) -> None:
    key = ec_key()
    clients = [await service.client() for _ in range(8)]
    found = await at_once(8, lambda number: clients[number].post_key(key.members))
    assert found == {"ok": 1, "key-taken": 7}
