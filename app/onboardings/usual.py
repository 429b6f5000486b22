"""How long waits usually take: the middle of the cases of late, counted by the worker.

Readers get it from memory: it is read anew once in a while, and is no part of a version.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    select,
    union_all,
)

from app.approvals.models import ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.audit.models import AuditEvent
from app.audit.trail import Happened
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.database import Sessions
from app.delegations.rules import State
from app.onboardings.models import UsualWait
from app.onboardings.rules import StepCode

LEAST_CASES = 10
OF_LATE = timedelta(days=90)
READ_EVERY = 60.0

Seconds = Mapping[tuple[str, str], int]


class UsualWaits:
    """As this process last read them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._seconds: Seconds = {}
        self._read_at = float("-inf")

    async def seconds(self) -> Seconds:
        """By step and what it is about."""
        if time.monotonic() - self._read_at > READ_EVERY:
            self._read_at = time.monotonic()
            async with self._sessions() as db:
                rows = await db.scalars(select(UsualWait))
            self._seconds = {(row.step, row.subject): row.seconds for row in rows}
        return self._seconds


async def count_waits(sessions: Sessions, *, now: datetime) -> bool:
    """Count anew, all of it. It is never said that there is more."""
    since = now - OF_LATE
    waits = union_all(
        _confirmations(since), _approved_scopes(since), _approved_claims(since), _rights(since)
    ).subquery()
    middle = func.percentile_cont(0.5).within_group(waits.c.seconds)
    counted = (
        select(waits.c.step, waits.c.subject, cast(middle, Integer), func.count())
        .group_by(waits.c.step, waits.c.subject)
        .having(func.count() >= LEAST_CASES)
    )
    async with sessions.begin() as db:
        await db.execute(delete(UsualWait))
        columns = ["step", "subject", "seconds", "cases"]
        await db.execute(insert(UsualWait).from_select(columns, counted))
    return False


def _wait(step: StepCode, subject: Any, began: Any, ended: Any) -> tuple[ColumnElement[Any], ...]:
    return (
        literal(step.value).label("step"),
        subject.label("subject"),
        extract("epoch", ended - began).label("seconds"),
    )


def _confirmations(since: datetime) -> Select[Any]:
    """From the draft to the yes: the same for everybody, whatever it is about."""
    return select(
        *_wait(StepCode.CONFIRM_CLIENT, literal(""), ClientDraft.created_at, ClientDraft.decided_at)
    ).where(ClientDraft.status == DraftStatus.CONFIRMED, ClientDraft.decided_at > since)


def _approved_scopes(since: datetime) -> Select[Any]:
    """Those that had to wait: what is granted at once takes no time."""
    return select(
        *_wait(
            StepCode.APPROVE_SCOPE, ScopeAccess.audience, ScopeAccess.asked_at, ScopeAccess.since
        )
    ).where(
        ScopeAccess.state == AccessState.GRANTED,
        ScopeAccess.since > ScopeAccess.asked_at,
        ScopeAccess.since > since,
    )


def _approved_claims(since: datetime) -> Select[Any]:
    return select(
        *_wait(StepCode.APPROVE_CLAIM, ClaimValue.claim_type, ClaimValue.asked_at, ClaimValue.since)
    ).where(
        ClaimValue.pending_value.is_(None),
        ClaimValue.since > ClaimValue.asked_at,
        ClaimValue.since > since,
    )


def _rights(since: datetime) -> Select[Any]:
    """From when a right was first seen to be missing until it was first seen to be given."""
    right = AuditEvent.details["right"].astext
    after = AuditEvent.details["after"].astext
    began = func.min(AuditEvent.at)
    given = func.min(AuditEvent.at).filter(after == State.ACTIVE.value)
    return (
        select(*_wait(StepCode.DELEGATE_RIGHT, right, began, given))
        .where(AuditEvent.happened == Happened.DELEGATION_CHANGED, AuditEvent.at > since)
        .group_by(right, AuditEvent.details["delegation"].astext)
        .having(given > began)
    )
