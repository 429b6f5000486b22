"""A client looks at its delegations, has Altinn asked, and has the right asked for."""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingClient
from app.access.idempotency import Once
from app.apis.catalogue import Catalogue, DeclaredDelegation
from app.changes.queries import VersionCheck, counter_of
from app.client_keys.calling import check_caller
from app.clients.models import ClientConfiguration
from app.database import Database
from app.delegations.altinn import (
    Altinn,
    AltinnUnavailable,
    MadeRequest,
    Question,
    RequestsOff,
)
from app.delegations.answers import STATUS_EVENTS, after_event
from app.delegations.asking import state_changed
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import can_be_hurried
from app.delegations.queries import (
    CHECKED_AT_MOST_EVERY,
    demand_check,
    is_answered,
    note_watch,
    records_of,
    states_of,
    watch_ends_before,
)
from app.delegations.rules import MAY_BE_REQUESTED, OPEN_REQUEST, AltinnAway, DelegationNotFound
from app.delegations.scopes import lets_act
from app.delegations.views import Frame, delegation_answer, request_answer
from app.delegations.wire import DelegationAnswer, DelegationRequestAnswer
from app.organizations.register import Mark
from app.problems import TooManyRequests
from app.state_machine import WrongState

# A request of the API waits no longer for Altinn than this.
ALTINN_WITHIN = 0.8
LOOK_EVERY = 0.05


class Page(Struct, frozen=True):
    items: list[DelegationAnswer]
    next_cursor: str | None
    counter: int


async def delegations_of(
    database: Database,
    catalogue: Catalogue,
    caller: CallingClient,
    *,
    pages_url: str | None,
    now: datetime,
    only: UUID | None = None,
    after: UUID | None = None,
    limit: int = 1,
) -> Page:
    """The client's records from `after` on, or `only` one. Who reads them is taken to wait."""
    async with database.sessions.begin() as db:
        counter = await counter_of(db, caller.client_id)
        frame = await _frame(db, caller, catalogue, pages_url, now)
        rows = await records_of(db, caller.client_id, only=only, after=after, limit=limit + 1)
    if only is not None and not rows:
        raise DelegationNotFound
    await _note_reader(database, caller.client_id, rows, now)
    items = [delegation_answer(*row, frame) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, items[-1].id.hex if more else None, counter)


async def _note_reader(
    database: Database,
    client_id: UUID,
    rows: Sequence[Row[Delegation, DelegationPoll, Mark | None]],
    now: datetime,
) -> None:
    soon = watch_ends_before(now)
    for delegation, poll, _ in rows:
        is_noted = poll.watched_until is not None and poll.watched_until >= soon
        if can_be_hurried(delegation.state) and not is_noted:
            async with database.reads.acquire() as connection:
                await note_watch(connection, client_id, now)
            return


async def _frame(
    db: AsyncSession,
    caller: CallingClient,
    catalogue: Catalogue,
    pages_url: str | None,
    now: datetime,
) -> Frame:
    await check_caller(db, caller, seen_at=now)
    client = await db.get_one(ClientConfiguration, caller.client_id)
    return Frame(client, catalogue.systems[client.client_system_id], catalogue, pages_url, now)


class Delegators(Struct, frozen=True):
    entries: list[DeclaredDelegation]
    counter: int


async def delegators_of(
    database: Database, catalogue: Catalogue, caller: CallingClient, *, now: datetime
) -> Delegators:
    """Those that let a client of many act for them, as far as Altinn has a say in it."""
    async with database.sessions.begin() as db:
        counter = await counter_of(db, caller.client_id)
        await check_caller(db, caller, seen_at=now)
        states = await states_of(db, caller.client_id)
    declared = catalogue.declared_clients.get(caller.client_id)
    if declared is None:
        return Delegators([], counter)
    system = catalogue.systems[declared.client_system]
    entries = [
        entry
        for entry in declared.delegations
        if lets_act(entry.delegator.organization_number, system, declared.api_scopes, states)
    ]
    return Delegators(entries, counter)


async def check_now(
    database: Database,
    catalogue: Catalogue,
    caller: CallingClient,
    delegation_id: UUID,
    *,
    pages_url: str | None,
    now: datetime,
) -> DelegationAnswer:
    """Have Altinn asked now, and answer with what it says if it says it soon."""
    await delegations_of(
        database, catalogue, caller, pages_url=pages_url, now=now, only=delegation_id
    )
    async with database.writes.acquire() as connection:
        asked_at = await demand_check(connection, delegation_id, now)
    if asked_at is not None:
        left = asked_at + CHECKED_AT_MOST_EVERY - now
        seconds = max(1, math.ceil(left.total_seconds()))
        raise TooManyRequests(
            f"Altinn is asked about a delegation at most once in "
            f"{CHECKED_AT_MOST_EVERY.seconds} s.",
            retry_after=seconds,
        )
    await _answered(database, delegation_id, now)
    page = await delegations_of(
        database, catalogue, caller, pages_url=pages_url, now=now, only=delegation_id
    )
    return page.items[0]


async def _answered(database: Database, delegation_id: UUID, since: datetime) -> None:
    """Wait a moment for the worker. No connection is held while waiting."""
    deadline = asyncio.get_running_loop().time() + ALTINN_WITHIN
    while asyncio.get_running_loop().time() < deadline:
        async with database.reads.acquire() as connection:
            if await is_answered(connection, delegation_id, since):
                return
        await asyncio.sleep(LOOK_EVERY)


class Requested(Struct, frozen=True):
    answer: DelegationRequestAnswer
    replayed: bool = False


async def request_right(
    database: Database,
    altinn: Altinn | None,
    catalogue: Catalogue,
    caller: CallingClient,
    delegation_id: UUID,
    *,
    pages_url: str | None,
    has_seen: VersionCheck,
    once: Once | None,
    now: datetime,
) -> Requested:
    """Have the giver asked in Altinn. Once: a request that is open is answered again.

    `has_seen` judges before Altinn is asked: what Altinn has taken cannot be taken back.
    """
    async with database.sessions.begin() as db:
        frame = await _frame(db, caller, catalogue, pages_url, now)
        delegation = await _own(db, caller, delegation_id)
        earlier = await once.earlier(db, DelegationRequestAnswer) if once else None
        if earlier is not None:
            return Requested(earlier, replayed=True)
        has_seen(await counter_of(db, caller.client_id))
    made = await _made(altinn, catalogue, delegation)
    if made is None and once is None:
        return Requested(request_answer(delegation, frame))
    async with database.sessions.begin() as db:
        # The same request may have been answered since it was looked for.
        earlier = await once.begin(db, DelegationRequestAnswer) if once else None
        if earlier is not None:
            return Requested(earlier, replayed=True)
        if made is not None:
            delegation = await _keep_request(db, caller, delegation_id, made, now)
        answer = request_answer(delegation, frame)
        if once is not None:
            await once.keep(db, answer)
    return Requested(answer)


async def _made(
    altinn: Altinn | None, catalogue: Catalogue, delegation: Delegation
) -> MadeRequest | None:
    """None where there is one already, or where none can be made."""
    if delegation.state in OPEN_REQUEST:
        return None
    if delegation.state not in MAY_BE_REQUESTED:
        raise WrongState(f"Cannot request the right while the delegation is {delegation.state}.")
    right = catalogue.right_named.get(delegation.right)
    if altinn is None or right is None:
        return None
    question = Question(
        right=right, giver=delegation.giver, receiver=delegation.receiver, urgent=True
    )
    try:
        async with asyncio.timeout(ALTINN_WITHIN):
            return await altinn.make_request(question)
    except RequestsOff:
        return None
    except (AltinnUnavailable, TimeoutError):
        raise AltinnAway from None


async def _own(
    db: AsyncSession, caller: CallingClient, delegation_id: UUID, *, to_change: bool = False
) -> Delegation:
    delegation = await db.get(
        Delegation, delegation_id, with_for_update=to_change or None, populate_existing=True
    )
    if delegation is None or delegation.client_id != caller.client_id:
        raise DelegationNotFound
    return delegation


async def _keep_request(
    db: AsyncSession,
    caller: CallingClient,
    delegation_id: UUID,
    made: MadeRequest,
    now: datetime,
) -> Delegation:
    """The first request that is written down stays: two at once are one."""
    delegation = await _own(db, caller, delegation_id, to_change=True)
    if delegation.state not in MAY_BE_REQUESTED:
        return delegation
    after = after_event(delegation.standing, STATUS_EVENTS[made.status], now)
    delegation.request_id, delegation.request_link = made.id, made.link
    poll = await db.get_one(DelegationPoll, delegation_id, with_for_update=True)
    # What is being asked just now was asked before there was a request.
    poll.leased_until, poll.due_at = None, now
    after = replace(after, requested_at=now)
    await state_changed(db, delegation, after, actor=caller.actor, now=now)
    return delegation
