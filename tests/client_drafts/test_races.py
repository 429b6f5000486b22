"""Drafts that are decided, and run out, and are given time at the same moment."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR
from app.changes.models import ClientChanges
from app.client_configurations.operator import change_status
from app.client_drafts.lengthening import lengthen_client_draft
from app.client_drafts.models import ClientDraft
from app.client_drafts.parking import park_client_draft, pass_on_client_draft
from app.client_drafts.rules import DeclineReason, DraftExpired, DraftOutdated, DraftStatus
from app.client_drafts.sweeping import expire_drafts, sweep_drafts
from app.client_drafts.use_cases import Decided, decline_client_draft, open_client_draft
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent, ClientStatus
from app.state_machine import WrongState
from tests.client_drafts.lost_keys import DAY, Lost, lost
from tests.serving import KARI, Service, a_draft

pytestmark = pytest.mark.race

LIFE = timedelta(hours=24)
Act: TypeAlias = Callable[[Service, UUID], Awaitable[Any]]


async def drafted(service: Service) -> UUID:
    return UUID((await service.draft(a_draft())).json()["clientId"])


async def draft(service: Service, client_id: UUID) -> ClientDraft | None:
    async with service.database.sessions() as db:
        return await db.get(ClientDraft, client_id)


async def happened(service: Service, client_id: UUID) -> Counter[str]:
    rows = select(AuditEvent.happened).where(AuditEvent.subject == str(client_id))
    return Counter(await service.ask(rows))


async def at_once(*doing: Awaitable[Any]) -> Counter[Any]:
    done = await asyncio.gather(*doing, return_exceptions=True)
    return Counter(one if isinstance(one, bool) else type(one) for one in done)


async def confirm(service: Service, client_id: UUID) -> Decided:
    return await service.confirm(client_id)


async def decline(service: Service, client_id: UUID) -> Decided:
    async with service.database.sessions() as db:
        return await decline_client_draft(
            db, KARI, client_id, reason=DeclineReason.UNSURE, now=service.now
        )


async def park(service: Service, client_id: UUID) -> Decided:
    async with service.database.sessions() as db:
        return await park_client_draft(
            db,
            KARI,
            client_id,
            person=None,
            contact_email=None,
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=service.now,
        )


async def lengthen(service: Service, client_id: UUID) -> ClientDraft:
    async with service.database.sessions() as db:
        return await lengthen_client_draft(
            db,
            client_id,
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            actor=KARI.actor,
            has_seen=lambda _: None,
            now=service.now,
        )


@pytest.mark.parametrize(
    ("decide", "event"),
    [
        (confirm, "clientDraft.confirmed"),
        (decline, "clientDraft.declined"),
        (park, "clientDraft.parked"),
    ],
)
async def test_a_decision_and_the_end_of_the_time_exclude_each_other(
    service: Service, decide: Act, event: str
) -> None:
    """Whoever decides is a moment before the end, and the worker a moment after it."""
    client_id = await drafted(service)
    over = service.now + LIFE

    async def expire() -> bool:
        return await expire_drafts(service.database.sessions, now=over)

    found = await at_once(
        *(act for _ in range(4) for act in (expire(), decide(service, client_id)))
    )
    told = await happened(service, client_id)
    assert told[event] + told["clientDraft.expired"] == 1
    assert found[Decided] == told[event]
    assert found[True] == told["clientDraft.expired"]
    assert found[DraftExpired] + found[WrongState] == 4 - found[Decided]


async def test_who_gives_it_time_and_the_end_of_its_time_leave_it_whole(service: Service) -> None:
    client_id = await drafted(service)
    service.now += LIFE

    async def expire() -> bool:
        return await expire_drafts(service.database.sessions, now=service.now)

    acts = (act for _ in range(4) for act in (expire(), lengthen(service, client_id)))
    found = await at_once(*acts)
    kept = await draft(service, client_id)
    assert kept is not None
    assert (kept.status, kept.expires_at) == (DraftStatus.PENDING, service.now + LIFE)
    told = await happened(service, client_id)
    assert found[ClientDraft] == told["clientDraft.lengthened"] == kept.lengthened == 4
    assert found[True] == told["clientDraft.expired"] <= 1


async def test_what_is_swept_is_not_given_time_too(service: Service) -> None:
    client_id = await drafted(service)
    service.now += LIFE
    assert await expire_drafts(service.database.sessions, now=service.now)
    service.now += 30 * DAY + timedelta(seconds=1)

    async def sweep() -> bool:
        return await sweep_drafts(service.database.sessions, now=service.now)

    found = await at_once(
        *(act for _ in range(4) for act in (sweep(), lengthen(service, client_id)))
    )
    assert (await draft(service, client_id) is not None) == bool(found[ClientDraft])


async def test_of_eight_who_open_and_pass_it_on_each_is_told_once(service: Service) -> None:
    client_id = await drafted(service)

    async def open_() -> None:
        async with service.database.sessions() as db:
            await open_client_draft(
                db, KARI, client_id, redirect_port=None, redirect_path=None, now=service.now
            )

    async def pass_on() -> None:
        async with service.database.sessions() as db:
            await pass_on_client_draft(
                db,
                KARI,
                client_id,
                catalogue=await service.app.state.catalogues.in_force(),
                settings=service.settings,
                now=service.now,
            )

    await asyncio.gather(*(act() for act in [open_, pass_on] * 4))
    assert (await happened(service, client_id))["clientDraft.passedOn"] == 1
    counter = select(ClientChanges.counter).where(ClientChanges.client_id == client_id)
    assert await service.ask(counter) in ([1], [2])


# Keys that are to take over a client.


async def block(case: Lost) -> None:
    async with case.service.database.sessions() as db:
        await change_status(
            db, case.client_id, ClientEvent.BLOCK, actor=OPERATOR, now=case.service.now
        )


@pytest.mark.parametrize("seen", [None, DAY])
async def test_a_blocked_client_gets_no_new_key(service: Service, seen: timedelta | None) -> None:
    case = await lost(service, seen=seen)
    both: list[Callable[[], Awaitable[Any]]] = [case.confirm, partial(block, case)]
    found = await at_once(*(act() for act in both * 4))
    [status] = await service.ask(
        select(ClientConfiguration.status).where(ClientConfiguration.client_id == case.client_id)
    )
    assert status is ClientStatus.BLOCKED
    assert found[type(None)] == 1
    states = await case.keys()
    if found[Decided] and seen is None:
        assert states[case.old.key.thumbprint] is KeyState.REVOKED
    else:
        assert found[DraftOutdated] >= (0 if found[Decided] else 1)
        assert list(states) == [case.old.key.thumbprint]
    told = await happened(service, case.client_id)
    assert told["client.blocked"] == 1
    assert told["clientKeys.replaced"] + told["clientKeys.replacementDelayed"] == found[Decided]


async def test_a_client_that_is_blocked_before_the_day_is_over_keeps_its_keys(
    service: Service,
) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    service.now += DAY
    both: list[Callable[[], Awaitable[Any]]] = [case.exchanges, partial(block, case)]
    await at_once(*(act() for act in both * 4))
    replaced = case.key.thumbprint in await case.keys()
    kept = await case.draft()
    assert kept.status is (DraftStatus.CONFIRMED if replaced else DraftStatus.DECLINED)
    assert kept.decline_reason is (None if replaced else DeclineReason.NO_LONGER_OFFERED)


async def test_of_eight_who_stop_it_one_does(service: Service) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()

    async def stop() -> int:
        return (await case.old.call("DELETE", "/v1/client/key-replacement")).status_code

    assert Counter(await asyncio.gather(*(stop() for _ in range(8)))) == {204: 1, 404: 7}
    stopped = select(func.count()).where(AuditEvent.happened == "clientKeys.replacementStopped")
    assert await service.ask(stopped) == [1]
