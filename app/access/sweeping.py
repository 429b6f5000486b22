"""Removing what has served its time, by the database's clock and with a margin: late is fine."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, func, inspect, select, tuple_

from app.access.models import KeptAnswer, LoginAttempt, LoginSession, RequestCount, UsedProof
from app.database import Base, Sessions

BATCH = 1000
PROOF_KEPT = timedelta(minutes=10)
# A session holds a person's name and, sealed, his number: no longer than clocks may differ.
LOGIN_KEPT = timedelta(minutes=1)
ANSWER_KEPT = timedelta(hours=24)
COUNT_KEPT = timedelta(minutes=10)

# Not the clock's own function: what may change within a statement is looked up in no index.
NOW = func.statement_timestamp()


async def _swept(table: type[Base], over: ColumnElement[bool], sessions: Sessions) -> bool:
    """Some rows at a time and none that somebody holds, so that nobody waits for the broom."""
    key: Sequence[ColumnElement[Any]] = inspect(table).primary_key
    chosen = select(*key).where(over).limit(BATCH).with_for_update(skip_locked=True)
    async with sessions.begin() as db:
        removed = await db.execute(delete(table).where(tuple_(*key).in_(chosen)).returning(key[0]))
        count = len(removed.all())
    return count == BATCH


SWEEPS: Mapping[str, Callable[[Sessions], Awaitable[bool]]] = {
    "used proofs": partial(_swept, UsedProof, UsedProof.usable_until < NOW - PROOF_KEPT),
    "request counts": partial(_swept, RequestCount, RequestCount.window_end < NOW - COUNT_KEPT),
    "kept answers": partial(_swept, KeptAnswer, KeptAnswer.kept_at < NOW - ANSWER_KEPT),
    "login attempts": partial(_swept, LoginAttempt, LoginAttempt.expires_at < NOW - LOGIN_KEPT),
    "login sessions": partial(_swept, LoginSession, LoginSession.expires_at < NOW - LOGIN_KEPT),
}
