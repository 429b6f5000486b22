"""`Idempotency-Key`: a request that is sent again is not carried out again."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import Response
from sqlalchemy import func, select, text

from app.access.idempotency import IdempotencyKeyRefused, Once, StillRunning, sent_key
from app.access.models import KeptAnswer
from app.access.sweeping import SWEEPS
from app.client_drafts.keeping import CreatedDraft
from app.client_drafts.models import ClientDraft
from app.delegations.models import Delegation
from tests.installers.keys import ec_key
from tests.serving import CLIENT_SCOPE, EDI, FJORD, Client, Service, a_draft, problem_of

KEY = "7f4d1c1e-6f0a-4a53-9a39-0b8f6a4f3a52"


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ([], None),
        ([KEY], KEY),
        ([f'"{KEY}"'], KEY),
        ([f" {KEY} "], KEY),
        (["!"], "!"),
        (["x" * 255], "x" * 255),
        ([r'"a\"b\\c"'], r"a\c".replace("a", 'a"b')),
        (["a,b"], "a,b"),
    ],
)
def test_a_key_is_read(lines: list[str], key: str | None) -> None:
    assert sent_key(lines) == key


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ['""'],
        ['"'],
        ["x" * 256],
        ["a b"],
        ['"a b"'],
        ["\x07"],
        ["blåbær"],
        ['"a'],
        [r'"a\b"'],
        ['"a"b'],
        ["a", "a"],
    ],
)
def test_what_is_no_key_is_refused(lines: list[str]) -> None:
    with pytest.raises(IdempotencyKeyRefused):
        sent_key(lines)


async def drafts(service: Service) -> int:
    return int((await service.ask(select(func.count()).select_from(ClientDraft)))[0])


async def draft(service: Service, body: Any, key: str = KEY, api_key: str = FJORD) -> Response:
    return await service.draft(body, api_key=api_key, **{"Idempotency-Key": key})


async def test_a_draft_that_is_sent_again_gets_the_first_answer(service: Service) -> None:
    body = a_draft(externalRef="kontoret på Os")
    first = await draft(service, body)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (201, False)
    service.now += timedelta(hours=1)
    again = await draft(service, body, key=f'"{KEY}"')
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert await drafts(service) == 1


async def test_the_first_answer_stands_although_the_draft_has_moved_on(service: Service) -> None:
    key = ec_key()
    first = await draft(service, a_draft(key))
    await service.confirm(UUID(first.json()["clientId"]))
    again = await draft(service, a_draft(key))
    assert (again.status_code, again.json()) == (201, first.json())


async def test_the_same_key_with_another_body_is_refused(service: Service) -> None:
    key = ec_key()
    await draft(service, a_draft(key))
    answer = await draft(service, a_draft(key, externalRef="other"))
    assert answer.status_code == 422
    assert problem_of(answer)["type"].endswith("/idempotency-key-reused")
    assert await drafts(service) == 1


async def test_a_key_says_nothing_to_another_installation_or_system(service: Service) -> None:
    jwk = ec_key()
    answers = [
        await draft(service, a_draft(jwk)),
        await draft(service, a_draft()),
        await draft(service, a_draft(jwk), api_key=EDI),
        await draft(service, a_draft(jwk), key="another"),
    ]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["clientId"] for answer in answers}) == 4


async def test_a_refusal_is_not_kept(service: Service) -> None:
    key = ec_key()
    assert (await draft(service, a_draft(key, apiScopes=[]))).status_code == 400
    assert (await draft(service, a_draft(key))).status_code == 201


async def test_a_bad_key_is_refused_before_anything_is_done(service: Service) -> None:
    answer = await draft(service, a_draft(), key="x" * 256)
    assert answer.status_code == 400
    assert problem_of(answer)["type"].endswith("/idempotency-key-refused")
    assert await drafts(service) == 0


async def test_nothing_is_kept_that_was_not_asked_for_and_no_secret(service: Service) -> None:
    first = await service.draft(a_draft())
    assert await service.ask(select(KeptAnswer.makings)) == []
    first = await draft(service, a_draft())
    [makings] = await service.ask(select(KeptAnswer.makings))
    assert first.json()["pairingCode"] not in makings
    assert KEY not in makings


async def test_a_draft_without_its_record_is_no_draft(service: Service) -> None:
    """Both or neither, wherever it is cut off."""
    async with service.database.sessions.begin() as db:
        await db.execute(text("ALTER TABLE kept_answers ADD CHECK (makings = '')"))
    assert (await draft(service, a_draft())).status_code == 500
    assert await drafts(service) == 0


async def test_who_comes_while_the_first_is_at_work_does_not_wait(service: Service) -> None:
    once = Once.of(KEY, "somewhere")
    assert once is not None
    async with service.database.sessions.begin() as first:
        assert await once.begin(first, CreatedDraft) is None
        async with service.database.sessions.begin() as second:
            with pytest.raises(StillRunning) as refused:
                await once.begin(second, CreatedDraft)
    assert refused.value.headers == {"Retry-After": "1"}


async def test_what_was_begun_by_who_was_killed_can_be_sent_again(service: Service) -> None:
    once = Once.of(KEY, "somewhere")
    assert once is not None
    killed = await asyncpg.connect(service.settings.database_url)
    await killed.execute("BEGIN")
    assert await once.begin(killed, CreatedDraft) is None
    async with service.database.sessions.begin() as db:
        with pytest.raises(StillRunning):
            await once.begin(db, CreatedDraft)
    killed.terminate()

    async def is_free() -> bool:
        try:
            async with service.database.sessions.begin() as db:
                return await once.begin(db, CreatedDraft) is None
        except StillRunning:
            return False

    for _ in range(250):
        if await is_free():
            return
        await asyncio.sleep(0.02)
    pytest.fail("the lock outlives its connection")


@pytest.mark.race
async def test_of_eight_at_once_one_draft_is_made(service: Service) -> None:
    body = a_draft()
    answers = await asyncio.gather(*(draft(service, body) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["clientId"] for answer in made}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert problem_of(answer)["type"].endswith("/idempotency-key-in-use")
            assert answer.headers["retry-after"] == "1"
    assert await drafts(service) == 1


async def client_with_delegation(service: Service) -> tuple[Client, str]:
    client = await service.client(EDI, apiScopes=[CLIENT_SCOPE, "nhn:msh/api"])
    found = select(Delegation.id).where(Delegation.client_id == client.client_id)
    return client, f"/v1/client/delegations/{(await service.ask(found))[0]}"


async def test_a_right_that_is_requested_again_gets_the_first_answer(service: Service) -> None:
    client, path = await client_with_delegation(service)
    first = await client.call("POST", f"{path}/requests", Idempotency_Key=KEY)
    again = await client.call("POST", f"{path}/requests", Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.call("POST", f"{path}/requests", {}, Idempotency_Key=KEY)
    assert other.status_code == 422


@pytest.mark.parametrize("what", ["checks", "requests"])
async def test_members_that_nobody_knows_are_refused_on_our_own_routes(
    service: Service, what: str
) -> None:
    client, path = await client_with_delegation(service)
    answer = await client.call("POST", f"{path}/{what}", {"urgent": True})
    assert answer.status_code == 400
    assert problem_of(answer)["errors"][0]["pointer"] == "#/urgent"
    assert (await client.call("POST", f"{path}/{what}", {})).status_code == 200


async def test_an_answer_is_kept_for_a_day(service: Service) -> None:
    await draft(service, a_draft())
    await SWEEPS["kept answers"](service.database.sessions)
    assert len(await service.ask(select(KeptAnswer.name))) == 1
    async with service.database.sessions.begin() as db:
        await db.execute(text("UPDATE kept_answers SET kept_at = now() - interval '25 hours'"))
    await SWEEPS["kept answers"](service.database.sessions)
    assert await service.ask(select(KeptAnswer.name)) == []


async def test_a_key_that_is_registered_again_gets_the_first_answer(service: Service) -> None:
    client = await service.client()
    jwk = ec_key().members
    first = await client.post_key(jwk, Idempotency_Key=KEY)
    again = await client.post_key(jwk, Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post_key(ec_key().members, Idempotency_Key=KEY)
    assert other.status_code == 422


async def test_a_key_says_nothing_to_another_client(service: Service) -> None:
    client, other = await service.client(), await service.client()
    for caller in (client, other):
        answer = await caller.post_key(ec_key().members, Idempotency_Key=KEY)
        assert answer.status_code == 200, answer.text
        assert "idempotency-replayed" not in answer.headers


async def test_a_blocked_client_gets_no_earlier_answer(service: Service) -> None:
    client = await service.client()
    jwk = ec_key().members
    await client.post_key(jwk, Idempotency_Key=KEY)
    async with service.database.sessions.begin() as db:
        await db.execute(text("UPDATE client_configurations SET status = 'blocked'"))
    assert (await client.post_key(jwk, Idempotency_Key=KEY)).status_code == 403


@pytest.mark.race
async def test_of_eight_at_once_one_key_is_added(service: Service) -> None:
    client = await service.client()
    jwk = ec_key().members
    answers = await asyncio.gather(*(client.post_key(jwk, Idempotency_Key=KEY) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    made = [answer for answer in answers if answer.status_code == 200]
    assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
    assert len((await client.get("/v1/client-secret")).json()) == 2
