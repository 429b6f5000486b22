"""Faults of the neighbours, met over real sockets: a broken connection is nothing less."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from app.sandbox.neighbours import Neighbours
from tests.sandbox.installer import CREDENTIAL, NEIGHBOURS, Installer, claims_of
from tests.sandbox.processes import running

REGISTER = "/sts/connect/register"
UNIT = "/brreg/enhetsregisteret/api/enheter/310000019"
DISCOVERY = "/sts/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(NEIGHBOURS, tmp_path_factory.mktemp("neighbours")) as here:
        yield here


@pytest.fixture
async def sockets(process: Neighbours) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=process.neighbours_url, trust_env=False) as client:
        yield client
        await client.delete("/_sandbox/faults")


async def test_large_keys_and_logins_pass_over_sockets(
    sockets: httpx2.AsyncClient, process: Neighbours
) -> None:
    large = RSAKey.generate_key(4096)
    installer = await Installer(sockets, large, issuer=process.issuer_url).register()
    body = (await installer.bound(key=large)).json()
    assert claims_of(body["access_token"])["cnf"] == {"jkt": large.thumbprint()}
    answer = await installer.redeem(await installer.code())
    assert claims_of(answer.json()["id_token"])["name"] == "Kari Nordmann"


async def fail(sockets: httpx2.AsyncClient, *faults: dict[str, Any]) -> None:
    answer = await sockets.put("/_sandbox/faults", json=faults)
    assert answer.status_code == 200, answer.text


async def test_a_neighbour_answers_with_an_error(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "issuer", "status": 503, "retryAfter": 7})
    answer = await sockets.get(DISCOVERY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "dpop-nonce" not in answer.headers
    assert (await sockets.get(UNIT)).status_code == 200


async def test_a_fault_can_be_counted(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "brreg", "status": 500, "times": 2})
    assert [(await sockets.get(UNIT)).status_code for _ in range(3)] == [500, 500, 200]
    assert (await sockets.get("/_sandbox/faults")).json() == []


async def test_faults_of_one_target_follow_each_other(sockets: httpx2.AsyncClient) -> None:
    await fail(
        sockets,
        {"target": "brreg", "status": 500, "times": 1},
        {"target": "brreg", "status": 502, "times": 1},
    )
    assert [(await sockets.get(UNIT)).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize("path", ["/enheter/310000019", "/enheter/*", "*"])
async def test_a_fault_can_have_a_path(sockets: httpx2.AsyncClient, path: str) -> None:
    await fail(sockets, {"target": "brreg", "status": 500, "path": path})
    assert (await sockets.get(UNIT)).status_code == 500


async def test_other_paths_are_left_alone(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "issuer", "status": 500, "path": "/connect/token"})
    assert (await sockets.get(DISCOVERY)).status_code == 200
    assert (await sockets.post("/sts/connect/token")).status_code == 500


async def test_faults_are_taken_away(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "issuer", "status": 500})
    assert (await sockets.delete("/_sandbox/faults")).status_code == 204
    assert (await sockets.get(DISCOVERY)).status_code == 200


async def test_new_faults_replace_the_old_ones(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "issuer", "status": 500})
    await fail(sockets, {"target": "brreg", "status": 500})
    assert (await sockets.get(DISCOVERY)).status_code == 200


async def test_a_connection_breaks_and_nothing_was_done(
    sockets: httpx2.AsyncClient,
) -> None:
    installer = Installer(sockets)
    await fail(sockets, {"target": "issuer", "drop": True, "times": 1})
    with pytest.raises(httpx2.HTTPError):
        await sockets.post(REGISTER, json=installer.metadata, headers=CREDENTIAL)
    address = f"{REGISTER}/{installer.client_id}"
    assert (await sockets.get(address, headers=CREDENTIAL)).status_code == 401


async def test_an_answer_is_lost_but_the_work_is_done(sockets: httpx2.AsyncClient) -> None:
    installer = Installer(sockets)
    await fail(sockets, {"target": "issuer", "loseAnswer": True, "times": 1})
    with pytest.raises(httpx2.HTTPError):
        await sockets.post(REGISTER, json=installer.metadata, headers=CREDENTIAL)
    address = f"{REGISTER}/{installer.client_id}"
    assert (await sockets.get(address, headers=CREDENTIAL)).status_code == 200


async def test_an_answer_makes_no_sense(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "brreg", "malformed": True, "times": 1})
    answer = await sockets.get(UNIT)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="delimiter"):
        answer.json()


async def test_an_answer_is_late(sockets: httpx2.AsyncClient) -> None:
    await fail(sockets, {"target": "brreg", "delayMs": 300, "times": 1})
    began = time.monotonic()
    answer = await sockets.get(UNIT)
    assert answer.json()["navn"] == "FJORDBYEN LEGESENTER AS"
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    "fault",
    [
        {"target": "somebody", "status": 500},
        {"status": 500},
        {"target": "issuer", "status": 200},
        {"target": "issuer", "times": 0},
        {"target": "issuer", "unknown": 1},
    ],
)
async def test_faults_that_cannot_be_are_refused(
    sockets: httpx2.AsyncClient, fault: dict[str, Any]
) -> None:
    assert (await sockets.put("/_sandbox/faults", json=[fault])).status_code == 400
