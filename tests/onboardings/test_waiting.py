"""Holding an answer: it comes as soon as there is something new, and holds nothing meanwhile.

What is new, and wakes whoever waits, is in `test_waking_by_draft` and
`test_waking_by_client`.
"""

import asyncio
import time
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.access.models import OnboardingTokenVersion
from app.audit.trail import OPERATOR
from app.changes.listener import ClientEvents
from app.client_configurations.operator import change_status
from app.client_drafts.use_cases import open_client_draft
from app.clients.rules import ClientEvent
from app.onboardings.use_cases import ReadOnboarding
from app.onboardings.waiting import LOOKING_AT_ONCE, HeldRequests
from app.onboardings.wire import Onboarding
from tests.examples import NOW
from tests.onboardings.wizards import Wizard, a_wizard, waiting
from tests.serving import KARI, Client, Service, problem_of

SOON = 3.0


async def opened(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await open_client_draft(
            db, KARI, UUID(wizard.client_id), redirect_port=None, redirect_path=None, now=NOW
        )


async def blocked(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await change_status(db, UUID(wizard.client_id), ClientEvent.BLOCK, actor=OPERATOR, now=NOW)


async def test_when_the_time_is_up_there_is_nothing_new(service: Service) -> None:
    wizard = await a_wizard(service)
    began = time.monotonic()
    async with waiting(wizard, seconds=1) as held:
        answer = await held
    assert 0.9 < time.monotonic() - began < SOON
    assert answer.status_code == 304
    assert answer.headers["preference-applied"] == "wait=1"


async def test_what_time_changes_by_itself_is_seen_when_the_time_is_up(service: Service) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard, seconds=1) as held:
        service.now = NOW + timedelta(days=2)  # and no worker has written it down
        answer = await held
    assert answer.json()["state"] == "expired"


@pytest.mark.parametrize(
    "headers", [{"prefer": "wait=20"}, {"prefer": "wait=20", "if_none_match": 'W/"old"'}]
)
async def test_what_is_new_to_the_reader_is_not_held(
    service: Service, headers: dict[str, str]
) -> None:
    wizard = await a_wizard(service)
    answer = await asyncio.wait_for(wizard.read(**headers), SOON)
    assert answer.status_code == 200


async def test_no_connection_is_held_while_waiting(service: Service) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard):
        assert service.database.reads.none_in_use
        assert service.database.writes.none_in_use
        assert service.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_lost_listener_misses_nothing(service: Service, seeded_url: str) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard) as held:
        connection = await asyncpg.connect(seeded_url)
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        assert ended
        # What is announced now, nobody hears.
        await connection.execute("UPDATE client_drafts SET status = 'expired'", timeout=SOON)
        await connection.close()
        answer = await asyncio.wait_for(held, 2 * SOON)
    assert answer.json()["state"] == "expired"


async def test_when_everybody_is_woken_few_look_at_the_same_time(seeded_url: str) -> None:
    """So whoever comes just then finds a connection, and need not stand behind thousands."""
    events = ClientEvents(seeded_url, [])
    held = HeldRequests(events)
    nothing_new = ReadOnboarding(
        onboarding=cast(Onboarding, None), counter=0, variant=(), replaced_client=None
    )
    looked, looking, most = 0, 0, 0
    all_have_looked = asyncio.Event()

    async def look() -> ReadOnboarding:
        nonlocal looked, looking, most
        looking += 1
        most = max(most, looking)
        await asyncio.sleep(0.001)
        looking -= 1
        looked += 1
        if looked % 100 == 0:
            all_have_looked.set()
        return nothing_new

    waiting = [
        asyncio.create_task(held.until_new(uuid4(), look, lambda _: False, 20)) for _ in range(100)
    ]
    await asyncio.wait_for(all_have_looked.wait(), SOON)
    most = 0
    all_have_looked.clear()
    events.wake_all()
    await asyncio.wait_for(all_have_looked.wait(), SOON)
    assert most == LOOKING_AT_ONCE
    held.end()
    await asyncio.wait_for(asyncio.gather(*waiting), SOON)


async def test_who_may_no_longer_read_is_told_on_waking(service: Service) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard) as held:
        await service.add(OnboardingTokenVersion(client_id=UUID(wizard.client_id), version=2))
        await opened(wizard)
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 401
    problem_of(answer)


async def test_a_client_that_is_blocked_while_it_waits_is_told_so(service: Service) -> None:
    wizard = await a_wizard(service)
    await wizard.confirm()
    client = Client(service, UUID(wizard.client_id), wizard.key)
    path = f"/v1/onboardings/{wizard.client_id}"
    tag = (await client.get(path)).headers["etag"]
    held = asyncio.create_task(client.get(path, if_none_match=tag, prefer="wait=20"))
    await asyncio.sleep(0.2)
    await blocked(wizard)
    assert (await asyncio.wait_for(held, SOON)).status_code == 403


async def test_held_requests_are_answered_first_when_the_process_ends(service: Service) -> None:
    wizard = await a_wizard(service)
    held_requests: HeldRequests = service.app.state.held
    async with waiting(wizard) as held:
        held_requests.end()
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 304


async def test_who_asks_much_too_fast_is_asked_to_wait_and_not_punished(service: Service) -> None:
    wizard = await a_wizard(service)
    answers = [await wizard.read() for _ in range(60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert answers[0].status_code == answers[29].status_code == 200
    assert int(refused[-1].headers["retry-after"]) == 1
    await asyncio.sleep(1)
    assert (await wizard.read()).status_code == 200
