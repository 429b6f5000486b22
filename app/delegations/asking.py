"""Asking Altinn about what is due, and keeping what it says."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Right
from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.database import Database, Sessions
from app.delegations.altinn import Altinn, AltinnBusy, AltinnUnavailable, Question
from app.delegations.answers import Answer, Standing, after_answer, after_event, source_to_ask
from app.delegations.leases import Kept, Lease, give_back, take_leases
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.polling import AFTER_FAILURES, WATCHED_EVERY, can_be_hurried, next_check
from app.delegations.rules import OPEN_REQUEST, USABLE, Event, State
from app.publications.queries import want_publication

log = logging.getLogger(__name__)

# Longer than asking may take, so that nobody else asks while a call is under way.
LEASE = timedelta(seconds=60)
ASK_WITHIN = 30.0
ALTINN = Actor(name="altinn")


class Result(Struct, frozen=True):
    """What came of asking once. An error stands for no answer at all."""

    lease: Lease
    answer: Answer | AltinnUnavailable | None
    """None: the right is not needed, and nothing is left to withdraw."""


async def ask_what_is_due(
    database: Database,
    altinn: Altinn,
    rights: Mapping[str, Right],
    *,
    limit: int,
    now: datetime,
    scale: float = 1.0,
) -> bool:
    """Ask about at most `limit` delegations. False: there is nothing more to ask for now.

    No transaction is open while Altinn is asked, and each answer is kept as soon as it is there.
    """
    async with database.writes.acquire() as connection:
        leases = await take_leases(connection, limit=limit, lasting=LEASE, now=now)
    calm = True
    async for results in _results(altinn, rights, leases, now):
        calm = calm and not any(isinstance(each.answer, AltinnBusy) for each in results)
        await _keep(database, results, now, scale)
    return calm and len(leases) == limit


async def _results(
    altinn: Altinn, rights: Mapping[str, Right], leases: Sequence[Lease], now: datetime
) -> AsyncIterator[list[Result]]:
    """All at once, and each as soon as it is there; who has not answered in time has not at all."""
    tasks = {asyncio.create_task(_asked(altinn, rights, lease, now)): lease for lease in leases}
    pending = set(tasks)
    deadline = asyncio.get_running_loop().time() + ASK_WITHIN
    try:
        while pending:
            left = deadline - asyncio.get_running_loop().time()
            done, pending = await asyncio.wait(
                pending, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                late = AltinnUnavailable(f"no answer within {ASK_WITHIN} s")
                yield [Result(tasks[task], late) for task in pending]
                return
            yield [task.result() for task in done]
    finally:
        for task in pending:
            task.cancel()


async def _asked(
    altinn: Altinn, rights: Mapping[str, Right], lease: Lease, now: datetime
) -> Result:
    try:
        return Result(lease, await _answer(altinn, rights, lease, now))
    except AltinnUnavailable as error:
        return Result(lease, error)
    except Exception as error:
        log.exception("delegation %s cannot be asked about", lease.delegation_id)
        return Result(lease, AltinnUnavailable(f"not asked: {type(error).__name__}"))


async def _answer(
    altinn: Altinn, rights: Mapping[str, Right], lease: Lease, now: datetime
) -> Answer | None:
    if not lease.needed or lease.standing.state == State.NOT_REQUIRED:
        if lease.request_id is not None:
            await altinn.withdraw_request(lease.request_id)
        return None
    right = rights.get(lease.right)
    if right is None:
        raise AltinnUnavailable(f"the catalogue has no right {lease.right}")
    urgent = lease.attention.is_urgent(now)
    status = None
    if lease.request_id is not None and lease.standing.state in OPEN_REQUEST:
        status = await altinn.request_status(lease.request_id, urgent=urgent)
    question = Question(right=right, giver=lease.giver, receiver=lease.receiver, urgent=urgent)
    answer = await altinn.look_up(question, source_to_ask(right.kind, lease.standing))
    return answer if status is None else replace(answer, request_status=status)


async def _keep(database: Database, results: Sequence[Result], now: datetime, scale: float) -> None:
    same: list[Kept] = []
    failed: list[Kept] = []
    for result in results:
        if isinstance(result.answer, AltinnUnavailable):
            failed.append(_after_failure(result.lease, result.answer, now))
        elif result.answer is None or _moves(result.lease, result.answer, now, scale):
            await keep_change(database.sessions, result, now=now, scale=scale)
        else:
            standing = result.lease.standing
            same.append(_after_answer(result.lease, standing, result.answer, now, scale))
    if same or failed:
        async with database.writes.acquire() as connection:
            await give_back(connection, same, answered=True, now=now)
            await give_back(connection, failed, answered=False, now=now)


def _moves(lease: Lease, answer: Answer, now: datetime, scale: float) -> bool:
    gone = lease.giver_gone
    after = after_answer(lease.standing, answer, now, giver_gone=gone, scale=scale)
    return after != lease.standing


def _after_failure(lease: Lease, error: AltinnUnavailable, now: datetime) -> Kept:
    """Later again, and nothing else. Who was not asked has not failed."""
    failures = lease.attention.failures
    if isinstance(error, AltinnBusy):
        longest = AFTER_FAILURES[-1].total_seconds()
        due_at: datetime | None = now + timedelta(seconds=min(error.seconds, longest))
    else:
        failures += 1
        log.warning("no answer on delegation %s: %s", lease.delegation_id, error)
        attention = replace(lease.attention, failures=failures)
        due_at = next_check(lease.standing, attention, now, _spread(lease))
        due_at = due_at or now + AFTER_FAILURES[-1]  # a request that has yet to be withdrawn
    return Kept(lease=lease, due_at=due_at, failures=failures, last_error=str(error)[:200])


def _after_answer(
    lease: Lease, standing: Standing, answer: Answer, now: datetime, scale: float
) -> Kept:
    attention = replace(lease.attention, failures=0)
    hurried = can_be_hurried(standing.state) and not attention.is_watched(now)
    return Kept(
        lease=lease,
        due_at=next_check(standing, attention, now, _spread(lease), scale),
        soon=now + WATCHED_EVERY if hurried else None,
        source=answer.source,
        decision=answer.decision,
        request_ref=answer.request_ref,
    )


async def keep_change(sessions: Sessions, result: Result, *, now: datetime, scale: float) -> None:
    """Write down an answer that moves a record: its state, the trail, and what follows from it."""
    async with sessions.begin() as db:
        found = await _leased(db, result.lease)
        if found is None:
            return
        delegation, poll = found
        before = delegation.standing
        if isinstance(result.answer, Answer):
            gone = result.lease.giver_gone
            after = after_answer(before, result.answer, now, giver_gone=gone, scale=scale)
            kept = _after_answer(result.lease, after, result.answer, now, scale)
            poll.checked_at, poll.source = now, kept.source
            poll.decision, poll.request_ref = kept.decision, kept.request_ref
            waits = poll.watched_until is not None and poll.watched_until >= now
            poll.due_at = kept.soon if waits and kept.soon else kept.due_at
        else:
            after = after_event(before, Event.NOT_NEEDED, now)
            delegation.request_id = delegation.request_link = None
            poll.due_at = None
        poll.leased_until, poll.failures, poll.last_error = None, 0, None
        await state_changed(db, delegation, after, actor=ALTINN, now=now)


async def _leased(db: AsyncSession, lease: Lease) -> tuple[Delegation, DelegationPoll] | None:
    """Both rows, locked, if the lease still holds."""
    delegation = await db.get(Delegation, lease.delegation_id, with_for_update=True)
    poll = await db.scalar(
        select(DelegationPoll)
        .where(
            DelegationPoll.delegation_id == lease.delegation_id,
            DelegationPoll.leased_until == lease.until,
        )
        .with_for_update()
    )
    return (delegation, poll) if delegation is not None and poll is not None else None


async def state_changed(
    db: AsyncSession, delegation: Delegation, after: Standing, *, actor: Actor, now: datetime
) -> None:
    """Put a locked record into its next state, with the trail and all who have to know."""
    before = delegation.standing
    delegation.take(after)
    if before.state == after.state:
        return
    record(
        db,
        Happened.DELEGATION_CHANGED,
        actor=actor,
        subject=delegation.client_id,
        at=now,
        delegation=str(delegation.id),
        right=delegation.right,
        before=before.state,
        after=after.state,
    )
    await client_changed(db, delegation.client_id)
    if (before.state in USABLE) != (after.state in USABLE):
        await want_publication(db, delegation.client_id)


def _spread(lease: Lease) -> float:
    """Between 0 and 1, another for each right, and always the same for one: no two are asked
    about in step, and what is done twice goes the same way."""
    name = f"{lease.giver} {lease.receiver} {lease.right}"
    return int.from_bytes(sha256(name.encode()).digest()[:4]) / 2**32
