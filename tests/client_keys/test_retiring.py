"""A client's keys, as the client retires them."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from tests.client_keys.keys import SECRET, at_once, keys, kind, set_state, wanted
from tests.examples import NOW
from tests.installers.keys import InstallersKey, ec_key
from tests.serving import Client, Service, pointers


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


async def post_active_key(client: Client, key: InstallersKey) -> None:
    """As it is once the issuer knows of it."""
    assert (await client.post_key(key.members)).status_code == 200
    for each in (key, client.key):
        await set_state(client, each, state=KeyState.ACTIVE)


async def retire(client: Client, key: InstallersKey, query: str = "") -> httpx2.Response:
    return await client.call("DELETE", f"{SECRET}/{key.thumbprint}{query}")


async def test_a_key_retires_after_a_grace_of_a_day(client: Client) -> None:
    second = ec_key()
    await post_active_key(client, second)
    before = await wanted(client)
    answer = await retire(client, client.key)
    assert (answer.status_code, answer.content) == (204, b"")
    first = next(key for key in await keys(client) if key["kid"] == client.key.members["kid"])
    assert first["state"] == "retiring"
    assert first["retiresAt"] == "2026-11-23T12:00:00Z"
    assert await wanted(client) == (before[0] + 1, before[1] + 1)
    assert (await retire(client, client.key)).status_code == 204
    assert await wanted(client) == (before[0] + 1, before[1] + 1)


async def test_without_grace_a_key_ends_at_once(client: Client) -> None:
    await set_state(client, client.key, state=KeyState.ACTIVE)
    second = ec_key()
    await client.post_key(second.members)
    for state in ("activating", "retiring"):
        if state == "retiring":
            second = ec_key()
            await client.post_key(second.members)
            await retire(client, second)
        assert (await retire(client, second, "?graceSeconds=0")).status_code == 204
        ended = {key["jwkThumbprint"]: key for key in await keys(client, "all")}
        assert ended[second.thumbprint]["state"] == "retired"
        assert ended[second.thumbprint]["retiresAt"] == "2026-11-22T12:00:00Z"
        other = Client(client.service, client.client_id, second)
        assert (await other.get()).status_code == 401


async def test_the_last_usable_key_stays(client: Client) -> None:
    assert kind(await retire(client, client.key)) == "last-usable-key"
    second = ec_key()
    await post_active_key(client, second)
    await retire(client, client.key)
    answer = await retire(client, second)
    assert (answer.status_code, kind(answer)) == (409, "last-usable-key")
    await set_state(client, client.key, state=KeyState.ACTIVE, expires_at=NOW)
    for query in ("", "?graceSeconds=0"):
        assert kind(await retire(client, second, query)) == "last-usable-key"


@pytest.mark.parametrize(
    ("grace", "other", "status"),
    [
        (3600, {"state": KeyState.ACTIVATING}, 409),
        (0, {"state": KeyState.ACTIVATING}, 409),
        (3600, {"expires_at": NOW + timedelta(seconds=3600)}, 409),
        (3600, {"expires_at": NOW + timedelta(seconds=3601)}, 204),
        (3600, {"expires_at": None}, 204),
        (0, {"expires_at": NOW + timedelta(seconds=1)}, 204),
        # It ends with this one: nothing is lost by retiring this one.
        (2592000, {"expires_at": NOW + timedelta(days=20)}, 204),
        (2592000, {"expires_at": NOW + timedelta(days=19)}, 409),
    ],
)
async def test_a_key_is_retired_when_another_is_known_to_outlast_it(
    client: Client, grace: int, other: dict[str, Any], status: int
) -> None:
    second = ec_key()
    await post_active_key(client, second)
    await set_state(client, client.key, expires_at=NOW + timedelta(days=20))
    await set_state(client, second, **other)
    answer = await retire(client, client.key, f"?graceSeconds={grace}")
    assert answer.status_code == status


async def test_a_key_that_is_not_there_or_has_ended_is_not_found(client: Client) -> None:
    second = ec_key()
    await client.post_key(second.members)
    await retire(client, second, "?graceSeconds=0")
    for name in (second.thumbprint, "nonsense", "a%00b", "%ED%A0%80"):
        answer = await client.call("DELETE", f"{SECRET}/{name}")
        assert (answer.status_code, kind(answer)) == (404, "key-not-found")


async def test_parameters_that_cannot_be(client: Client) -> None:
    for query, at in (
        ("?graceSeconds=-1", "#/graceSeconds"),
        ("?graceSeconds=2592001", "#/graceSeconds"),
        ("?graceSeconds=soon", "#/graceSeconds"),
        ("?graceSeconds=%00", "#/graceSeconds"),
    ):
        answer = await retire(client, client.key, query)
        assert answer.status_code == 400, query
        assert [pointer for pointer, _ in pointers(answer)] == [at]
        assert answer.json()["property"] == "graceSeconds"
    for include in ("none", "", "ALL", "%00"):
        answer = await client.get(f"{SECRET}?include={include}")
        assert answer.status_code == 400, include
        assert [pointer for pointer, _ in pointers(answer)] == ["#/include"]
    assert [key["state"] for key in await keys(client)] == ["activating"]


@pytest.mark.race
async def test_of_two_keys_that_retire_each_other_one_stays(client: Client) -> None:
    second = ec_key()
    await post_active_key(client, second)
    both = [client.key, second]
    other = Client(client.service, client.client_id, second)
    callers = [other, client]
    found = await at_once(2, lambda number: retire(callers[number], both[number]))
    assert found == {"ok": 1, "last-usable-key": 1}


@pytest.mark.race
async def test_of_eight_that_retire_two_keys_at_once_none_is_the_last(client: Client) -> None:
    second = ec_key()
    await post_active_key(client, second)
    both = [client.key, second]
    callers = [client, Client(client.service, client.client_id, second)]
    answers = await asyncio.gather(
        *(retire(callers[n // 2 % 2], both[n % 2], "?graceSeconds=0") for n in range(8))
    )
    assert sum(answer.status_code == 204 for answer in answers) == 1
    states = select(ClientKey.state).where(ClientKey.client_id == client.client_id)
    assert sorted(await client.service.ask(states)) == [KeyState.ACTIVE, KeyState.RETIRED]
