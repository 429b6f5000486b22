"""Keys that come with the proof that they are held, and what such a proof wins."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import select, update

from app.access.models import UsedProof
from app.audit.models import AuditEvent
from app.audit.trail import Happened
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.publications.models import Publication
from tests.examples import NOW
from tests.installers.keys import InstallersKey, ec_key, key_proof, rsa_key
from tests.serving import BASE, Client, Service, pointers, problem_of

SECRET = "/v1/client-secret"


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


def proof_for(client: Client, key: InstallersKey, **claims: Any) -> str:
    given = {"jti": uuid4().hex} | claims
    return key_proof(key, str(client.client_id), BASE + SECRET, **given)


async def post_held(client: Client, key: InstallersKey) -> httpx2.Response:
    return await client.post_key({"jwk": key.members, "proof": proof_for(client, key)})


async def change(client: Client, key: InstallersKey, **values: Any) -> None:
    async with client.service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey).where(ClientKey.thumbprint == key.thumbprint).values(**values)
        )


async def owner_of(service: Service, key: InstallersKey) -> Any:
    found = await service.ask(
        select(ClientKey.client_id).where(ClientKey.thumbprint == key.thumbprint)
    )
    return found[0] if found else None


def kind(answer: httpx2.Response) -> str:
    return str(problem_of(answer)["type"].rpartition("/")[2])


async def squatted(service: Service) -> tuple[Client, InstallersKey]:
    """A client that has registered the key of another, beside one of its own that works."""
    squatter, key = await service.client(), ec_key()
    assert (await squatter.post_key(key.members)).status_code == 200
    await change(squatter, squatter.key, state=KeyState.ACTIVE)
    return squatter, key


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("key", [ec_key(kid="held"), rsa_key(2048, "PS256")])
async def test_a_key_with_its_proof_is_registered_and_has_been_seen(
    client: Client, key: InstallersKey, text: bool
) -> None:
    jwk = json.dumps(key.members, indent=2) if text else key.members
    answer = await client.post_key({"jwk": jwk, "proof": proof_for(client, key)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["jwkThumbprint"] == key.thumbprint
    listed = (await client.get(SECRET)).json()
    assert {each["jwkThumbprint"]: each["lastUsedAt"] for each in listed}[key.thumbprint]


async def test_the_proof_may_be_left_out(client: Client) -> None:
    for body in ({"jwk": ec_key().members}, {"jwk": ec_key().members, "proof": None}):
        assert (await client.post_key(body)).status_code == 200
    # What a JWK has besides is ignored, as it always was.
    assert (await client.post_key(ec_key().members | {"jwk": 1, "proof": 2})).status_code == 200


async def test_a_live_key_is_answered_again_and_counts_as_seen(client: Client) -> None:
    key = ec_key()
    first = await client.post_key(key.members)
    again = await post_held(client, key)
    assert (again.status_code, again.json()["expiration"]) == (200, first.json()["expiration"])
    used = select(ClientKey.last_used_at).where(ClientKey.thumbprint == key.thumbprint)
    assert await client.service.ask(used) == [NOW]


async def test_a_bad_proof_registers_nothing(client: Client) -> None:
    key = ec_key()
    for proof in (
        "",
        proof_for(client, key, sign_with=client.key),
        proof_for(client, key, sub=str(uuid4())),
        proof_for(client, key, jti=None),
        key_proof(key, str(client.client_id), BASE + "/v1/client", jti="x"),
    ):
        answer = await client.post_key({"jwk": key.members, "proof": proof})
        assert (answer.status_code, kind(answer)) == (400, "key-proof-refused"), proof
        assert pointers(answer) == [("#/proof", "key_proof")]
    issued_at = int(time.time()) - 5
    spent = {"jwk": key.members, "proof": proof_for(client, key, iat=issued_at)}
    await client.post_key(spent)
    assert "used before" in problem_of(await client.post_key(spent))["detail"]
    remembered = select(UsedProof.usable_until).where(UsedProof.key_thumbprint == key.thumbprint)
    # As long as it is not refused for its age.
    assert await client.service.ask(remembered) == [datetime.fromtimestamp(issued_at + 60, UTC)]


async def test_what_is_wrong_with_both_is_told_at_once(client: Client) -> None:
    body = {"jwk": ec_key().members | {"use": "enc"}, "proof": 7}
    answer = await client.post_key(body)
    assert pointers(answer) == [("#/jwk/use", "wrong_use"), ("#/proof", "wrong_type")]
    assert pointers(await client.post_key({"jwk": ec_key().members, "proof": 7})) == [
        ("#/proof", "wrong_type")
    ]
    assert pointers(await client.post_key({"jwk": 7})) == [("#/jwk", "not_a_jwk")]


async def test_a_private_key_in_this_form_is_a_leak_too(client: Client) -> None:
    answer = await client.post_key({"jwk": client.key.private(), "proof": "x"})
    assert kind(answer) == "key-refused"
    assert pointers(answer)[0] == ("#/jwk/d", "private_key")
    leaked = select(ClientKey.leaked_at).where(ClientKey.thumbprint == client.key.thumbprint)
    assert await client.service.ask(leaked) == [NOW]


@pytest.mark.parametrize("ended", [False, True])
async def test_who_holds_a_key_wins_over_who_has_never_shown_to(
    service: Service, client: Client, ended: bool
) -> None:
    squatter, key = await squatted(service)
    if ended:
        await change(squatter, key, state=KeyState.RETIRED)
    assert kind(await client.post_key(key.members)) == "key-taken"
    wanted = select(Publication.wanted).where(Publication.client_id == squatter.client_id)
    [before] = await service.ask(wanted)

    answer = await post_held(client, key)
    assert answer.status_code == 200, answer.text
    assert await owner_of(service, key) == client.client_id
    assert await service.ask(wanted) == [before + 1]
    taken = select(AuditEvent).where(AuditEvent.happened == Happened.KEY_TAKEN_OVER)
    [event] = await service.ask(taken)
    assert event.subject == str(squatter.client_id)
    assert event.actor == f"client:{client.client_id}"
    refused = await squatter.post_key(key.members)
    assert kind(refused) == "key-taken"
    assert str(client.client_id) not in refused.text
    assert (await squatter.get()).status_code == 200


@pytest.mark.parametrize("values", [{"last_used_at": NOW}, {"leaked_at": NOW}])
async def test_a_key_that_was_used_or_has_leaked_stays(
    service: Service, client: Client, values: dict[str, Any]
) -> None:
    squatter, key = await squatted(service)
    await change(squatter, key, **values)
    assert kind(await post_held(client, key)) == "key-taken"
    assert await owner_of(service, key) == squatter.client_id


async def test_the_last_usable_key_of_another_stays_unless_that_is_closed(
    service: Service, client: Client
) -> None:
    other = await service.client()
    await change(other, other.key, state=KeyState.ACTIVE)
    assert kind(await post_held(client, other.key)) == "key-taken"
    async with service.database.sessions.begin() as db:
        closed = update(ClientConfiguration).values(status=ClientStatus.CLOSED)
        await db.execute(closed.where(ClientConfiguration.client_id == other.client_id))
    assert (await post_held(client, other.key)).status_code == 200


async def test_a_blocked_client_takes_nothing(service: Service, client: Client) -> None:
    squatter, key = await squatted(service)
    async with service.database.sessions.begin() as db:
        blocked = update(ClientConfiguration).values(status=ClientStatus.BLOCKED)
        await db.execute(blocked.where(ClientConfiguration.client_id == client.client_id))
    assert (await post_held(client, key)).status_code == 403
    assert await owner_of(service, key) == squatter.client_id


async def test_an_own_key_that_has_ended_does_not_come_back(client: Client) -> None:
    key = ec_key()
    await client.post_key(key.members)
    await change(client, key, state=KeyState.RETIRED)
    assert kind(await post_held(client, key)) == "key-taken"


@pytest.mark.race
async def test_of_eight_clients_with_one_key_the_one_that_holds_it_gets_it(
    service: Service,
) -> None:
    key = ec_key()
    clients = [await service.client() for _ in range(8)]
    for each in clients:
        await change(each, each.key, state=KeyState.ACTIVE)
    posts = [each.post_key(key.members) for each in clients[:7]]
    answers = await asyncio.gather(*posts, post_held(clients[7], key))
    assert answers[7].status_code == 200, answers[7].text
    assert all(answer.status_code in (200, 409) for answer in answers)
    assert await owner_of(service, key) == clients[7].client_id


@pytest.mark.race
async def test_of_eight_that_show_to_hold_one_key_one_gets_it(service: Service) -> None:
    _, key = await squatted(service)
    clients = [await service.client() for _ in range(8)]
    answers = await asyncio.gather(*(post_held(each, key) for each in clients))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
    winner = [answer.status_code for answer in answers].index(200)
    assert await owner_of(service, key) == clients[winner].client_id


async def test_a_retry_sends_its_proof_again_and_gets_the_first_answer(service: Service) -> None:
    client, key = await service.client(), ec_key()
    body = {"jwk": key.members, "proof": proof_for(client, key)}
    first = await client.post_key(body, Idempotency_Key="once")
    again = await client.post_key(body, Idempotency_Key="once")
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
