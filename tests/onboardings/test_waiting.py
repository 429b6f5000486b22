"""Holding an answer: it comes as soon as there is something new, and holds nothing meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg
import httpx2
import pytest
from sqlalchemy import select

from app.access.models import OnboardingTokenVersion
from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import OPERATOR, WORKER
from app.client_configurations.operator import change_status
from app.client_drafts.parking import park_client_draft, pass_on_client_draft
from app.client_drafts.rules import DeclineReason
from app.client_drafts.sweeping import expire_drafts
from app.client_drafts.use_cases import decline_client_draft, open_client_draft
from app.client_keys.ending import end_keys, keys_published
from app.clients.rules import ClientEvent
from app.delegations.answers import Standing
from app.delegations.asking import state_changed
from app.delegations.models import Delegation
from app.delegations.rules import State
from app.onboardings.waiting import HeldRequests
from app.publications.queries import scopes_told
from tests.examples import NOW
from tests.installers.keys import ec_key
from tests.onboardings.wizards import Wizard, a_wizard
from tests.serving import EDI, KARI, Client, Service, problem_of

SOON = 3.0
Change: TypeAlias = Callable[[Wizard], Awaitable[object]]


@asynccontextmanager
async def waiting(
    wizard: Wizard, seconds: int = 20
) -> AsyncIterator[asyncio.Task[httpx2.Response]]:
    """The answer that is held, and has been for a moment."""
    now = await wizard.read()
    assert now.status_code == 200, now.text
    task = asyncio.create_task(
        wizard.read(if_none_match=now.headers["etag"], prefer=f"wait={seconds}")
    )
    await asyncio.sleep(0.1)
    assert not task.done()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def confirm(wizard: Wizard) -> None:
    await wizard.confirm()


async def opened(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await open_client_draft(
            db, KARI, UUID(wizard.client_id), redirect_port=None, redirect_path=None, now=NOW
        )


async def declined(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await decline_client_draft(
            db, KARI, UUID(wizard.client_id), reason=DeclineReason.UNSURE, now=NOW
        )


async def passed_on(wizard: Wizard) -> None:
    catalogue = await wizard.service.app.state.catalogues.in_force()
    async with wizard.service.database.sessions() as db:
        await pass_on_client_draft(
            db,
            KARI,
            UUID(wizard.client_id),
            catalogue=catalogue,
            settings=wizard.service.settings,
            now=NOW,
        )


async def parked(wizard: Wizard) -> None:
    service = wizard.service
    async with service.database.sessions() as db:
        await park_client_draft(
            db,
            KARI,
            UUID(wizard.client_id),
            person=None,
            contact_email=None,
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=NOW,
        )


async def expired(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(days=2)
    assert await expire_drafts(wizard.service.database.sessions, now=wizard.service.now)


async def lengthened(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(hours=1)
    answer = await wizard.lengthen()
    assert answer.status_code == 200, answer.text


OF_DRAFTS: list[Change] = [confirm, opened, declined, passed_on, parked, expired, lengthened]


@pytest.mark.parametrize("change", OF_DRAFTS)
async def test_a_change_of_the_draft_wakes_at_once(service: Service, change: Change) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard) as held:
        await change(wizard)
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.json() == await wizard.onboarding()


async def approved(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        decision = Decision(
            client_id=UUID(wizard.client_id),
            event=AccessEvent.APPROVE,
            scope="nhn:msh/api",
            actor=OPERATOR,
            at=NOW,
        )
        await decide_access(db, decision)


async def delegated(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        of_client = select(Delegation).where(Delegation.client_id == UUID(wizard.client_id))
        [delegation] = (await db.scalars(of_client)).all()
        active = Standing(state=State.ACTIVE, since=NOW)
        await state_changed(db, delegation, active, actor=WORKER, now=NOW)


async def published(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        await scopes_told(db, UUID(wizard.client_id), ["nhn:selvbetjening/client"])


async def key_activated(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        await keys_published(db, UUID(wizard.client_id), [wizard.key.thumbprint], now=NOW)


async def key_ended(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(days=91)
    assert await end_keys(wizard.service.database.sessions, now=wizard.service.now)


async def key_added(wizard: Wizard) -> None:
    client = Client(wizard.service, UUID(wizard.client_id), wizard.key)
    assert (await client.post_key(ec_key().members)).status_code == 200


async def changed(wizard: Wizard) -> None:
    client = Client(wizard.service, UUID(wizard.client_id), wizard.key)
    answer = await client.put({"apiScopes": ["nhn:selvbetjening/client"]})
    assert answer.status_code == 204, answer.text


async def blocked(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await change_status(db, UUID(wizard.client_id), ClientEvent.BLOCK, actor=OPERATOR, now=NOW)


OF_CLIENTS: list[Change] = [
    approved,
    delegated,
    published,
    key_activated,
    key_ended,
    key_added,
    changed,
    blocked,
]


@pytest.mark.parametrize("change", OF_CLIENTS)
async def test_a_change_of_the_client_wakes_at_once(service: Service, change: Change) -> None:
    wizard = await a_wizard(service, EDI)
    await wizard.confirm()
    async with waiting(wizard) as held:
        await change(wizard)
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 200


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


async def test_who_may_no_longer_read_is_told_on_waking(service: Service) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard) as held:
        await service.add(OnboardingTokenVersion(client_id=UUID(wizard.client_id), version=2))
        await opened(wizard)
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 404
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
