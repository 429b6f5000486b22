"""How often neighbours are called, by all processes on all hosts together: a bucket for each.

It fills evenly. Calls that nobody waits for leave a part of it to those that somebody does.
"""

from sqlalchemy import Float, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from app.database import CLOCK, Database, HotStatement
from app.delegations.altinn import Budgets
from app.delegations.models import CallBudget
from app.settings import Settings

KEPT_FOR_URGENT = 0.25
"""The part of a bucket."""

_A_SECOND = bindparam("a_second", type_=Float)
_AT_ONCE = bindparam("at_once", type_=Float)
_AT_LEAST = bindparam("at_least", type_=Float)
_FILLED = func.least(
    _AT_ONCE,
    CallBudget.calls + _A_SECOND * func.extract("epoch", CLOCK - CallBudget.counted_at),
)
_TAKE = HotStatement(
    insert(CallBudget)
    .values(product=bindparam("product"), calls=_AT_ONCE - 1.0, counted_at=CLOCK)
    .on_conflict_do_update(
        index_elements=[CallBudget.product],
        set_={"calls": _FILLED - 1.0, "counted_at": CLOCK},
        where=_FILLED >= _AT_LEAST,
    )
    .returning(CallBudget.calls)
)
_LEFT = HotStatement(
    select(_FILLED.label("calls")).where(CallBudget.product == bindparam("product"))
)


class SharedBudget:
    """So many calls a second, for each product; after a rest so many `at_once`."""

    def __init__(self, database: Database, a_second: float, *, at_once: float) -> None:
        self._database = database
        self._a_second = a_second
        self._at_once = at_once

    async def take(self, product: str, *, urgent: bool) -> float:
        at_least = 1.0 if urgent else max(1.0, self._at_once * KEPT_FOR_URGENT)
        async with self._database.reads.acquire() as connection:
            values = {"product": product, "a_second": self._a_second, "at_once": self._at_once}
            if await _TAKE.row(connection, at_least=at_least, **values) is not None:
                return 0.0
            left = await _LEFT.row(connection, **values)
        lacking = at_least - (left["calls"] if left else 0.0)
        return max(lacking, 0.1) / self._a_second


def shared_budgets(database: Database, settings: Settings) -> Budgets:
    a_minute = float(settings.altinn_calls_per_minute)
    a_second = float(settings.enhetsregisteret_calls_per_second)
    return Budgets(
        altinn=SharedBudget(database, a_minute / 60.0, at_once=a_minute),
        # Evenly: however one counts, there are no more of them in any second.
        register=SharedBudget(database, a_second, at_once=1.0),
    )
