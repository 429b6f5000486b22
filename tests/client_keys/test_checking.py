"""Asking whether a key can be used: the answers, what counts as proof, and single use."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, update

from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.publications.models import Publication
from tests.examples import NOW
from tests.installers.keys import InstallersKey, ec_key, key_proof, rsa_key
from tests.serving import BASE, Client, Service, pointers, problem_of

SECRET = "/v1/client-secret"
USABLE = {"usable": True, "reasonCode": None, "retryAfterSeconds": None}


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


def path_of(key: InstallersKey) -> str:
    return f"{SECRET}/{key.thumbprint}/checks"


def proof_for(client: Client, key: InstallersKey, **claims: Any) -> str:
    given = {"jti": uuid4().hex} | claims
    return key_proof(key, str(client.client_id), BASE + path_of(key), **given)


async def check(client: Client, key: InstallersKey, proof: Any = None) -> httpx2.Response:
    body = {"proof": proof or proof_for(client, key)}
    return await client.call("POST", path_of(key), body)


async def change(client: Client, key: InstallersKey, **values: Any) -> None:
    async with client.service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey).where(ClientKey.thumbprint == key.thumbprint).values(**values)
        )


async def listed(client: Client, key: InstallersKey) -> dict[str, Any]:
    answer = await client.get(f"{SECRET}?include=all")
    found: dict[str, Any] = next(
        each for each in answer.json() if each["jwkThumbprint"] == key.thumbprint
    )
    return found


@pytest.mark.parametrize("key", [ec_key("P-521"), rsa_key(2048, "PS256"), rsa_key(2048, "RS512")])
async def test_a_key_that_the_issuer_knows_is_usable(client: Client, key: InstallersKey) -> None:
    await client.post_key(key.members)
    await change(client, key, state=KeyState.ACTIVE)
    answer = await check(client, key)
    assert (answer.status_code, answer.json()) == (200, USABLE)
    assert (await listed(client, key))["lastUsedAt"] == "2026-11-22T12:00:00Z"


async def test_a_key_that_the_issuer_has_yet_to_hear_of_is_not(client: Client) -> None:
    key = ec_key()
    await client.post_key(key.members)
    answer = await check(client, key)
    assert answer.json() == {
        "usable": False,
        "reasonCode": "notPublishedYet",
        "retryAfterSeconds": 1,
    }
    async with client.service.database.sessions.begin() as db:
        due = func.clock_timestamp() + timedelta(seconds=20)
        await db.execute(
            update(Publication).where(Publication.client_id == client.client_id).values(due_at=due)
        )
    assert (await check(client, key)).json()["retryAfterSeconds"] == 20


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": KeyState.RETIRED}, "retired"),
        ({"state": KeyState.EXPIRED}, "expired"),
        ({"state": KeyState.REVOKED}, "revoked"),
        ({"state": KeyState.ACTIVE, "expires_at": NOW}, "expired"),
        ({"state": KeyState.RETIRING, "retires_at": NOW}, "retired"),
    ],
)
async def test_a_key_that_has_ended_is_not(
    client: Client, values: dict[str, Any], reason: str
) -> None:
    key = ec_key()
    await client.post_key(key.members)
    await change(client, key, **values)
    answer = await check(client, key)
    assert answer.json() == {"usable": False, "reasonCode": reason, "retryAfterSeconds": None}


async def test_a_key_that_goes_out_of_use_works_until_then(client: Client) -> None:
    await change(client, client.key, state=KeyState.RETIRING, retires_at=NOW + timedelta(seconds=1))
    assert (await check(client, client.key)).json() == USABLE


async def test_only_a_key_of_the_clients_own_is_found(service: Service, client: Client) -> None:
    other = await service.client()
    for key in (other.key, ec_key()):
        answer = await check(client, key)
        assert answer.status_code == 404
        assert problem_of(answer)["type"].endswith("/key-not-found")
    assert (await listed(other, other.key))["lastUsedAt"] is None


async def test_a_bad_proof_is_refused_with_its_place_and_proves_nothing(client: Client) -> None:
    key = ec_key()
    await client.post_key(key.members)
    for proof in (
        "no JWT",
        proof_for(client, client.key),
        proof_for(client, key, sign_with=client.key),
        proof_for(client, key, jti=None),
        proof_for(client, key, iat=int(time.time()) - 61),
        proof_for(client, key, iss=str(uuid4())),
        key_proof(key, str(client.client_id), BASE + SECRET, jti="for another call"),
    ):
        answer = await check(client, key, proof)
        assert answer.status_code == 400, proof
        assert pointers(answer) == [("#/proof", "key_proof")]
        assert answer.json()["property"] == "proof"
        assert proof not in answer.text
    assert (await listed(client, key))["lastUsedAt"] is None


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("#/proof", "missing")]),
        ({"proof": 7}, [("#/proof", "wrong_type")]),
        ({"proof": "x", "prof": "y"}, [("#/prof", "unknown_member")]),
        ("a.b.c", [("#", "wrong_type")]),
    ],
)
async def test_a_bad_body_is_refused(
    client: Client, body: Any, errors: list[tuple[str, str]]
) -> None:
    answer = await client.call("POST", path_of(client.key), body)
    assert answer.status_code == 400
    assert pointers(answer) == errors


async def test_a_blocked_client_and_a_key_that_has_ended_ask_nothing(client: Client) -> None:
    key = ec_key()
    await client.post_key(key.members)
    await change(client, client.key, state=KeyState.RETIRED)
    assert (await check(client, key)).status_code == 401


@pytest.mark.race
async def test_of_one_proof_eight_times_at_once_one_counts(client: Client) -> None:
    proof = proof_for(client, client.key)
    answers = await asyncio.gather(*(check(client, client.key, proof) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 7}
    refused = next(answer for answer in answers if answer.status_code == 400)
    assert "used before" in problem_of(refused)["detail"]
