"""How often Altinn is called, by all processes on all hosts together: a bucket per product.

It fills evenly. Calls that nobody waits for leave a part of it to those that somebody does.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Float, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from app.database import Database, HotStatement
from app.delegations.models import AltinnBudget

KEPT_FOR_URGENT = 0.25
"""The part of a bucket."""

_CLOCK: ColumnElement[datetime] = func.clock_timestamp()
_A_MINUTE = bindparam("a_minute", type_=Float)
_AT_LEAST = bindparam("at_least", type_=Float)
_FILLED = func.least(
    _A_MINUTE,
    AltinnBudget.calls + _A_MINUTE / 60.0 * func.extract("epoch", _CLOCK - AltinnBudget.counted_at),
)
_TAKE = HotStatement(
    insert(AltinnBudget)
    .values(product=bindparam("product"), calls=_A_MINUTE - 1.0, counted_at=_CLOCK)
    .on_conflict_do_update(
        index_elements=[AltinnBudget.product],
        set_={"calls": _FILLED - 1.0, "counted_at": _CLOCK},
        where=_FILLED >= _AT_LEAST,
    )
    .returning(AltinnBudget.calls)
)
_LEFT = HotStatement(
    select(_FILLED.label("calls")).where(AltinnBudget.product == bindparam("product"))
)


class SharedBudget:
    def __init__(self, database: Database, calls_per_minute: int) -> None:
        self._database = database
        self._a_minute = float(calls_per_minute)

    async def take(self, product: str, *, urgent: bool) -> float:
        at_least = 1.0 if urgent else max(1.0, self._a_minute * KEPT_FOR_URGENT)
        async with self._database.reads.acquire() as connection:
            values = {"product": product, "a_minute": self._a_minute}
            if await _TAKE.row(connection, at_least=at_least, **values) is not None:
                return 0.0
            left = await _LEFT.row(connection, **values)
        lacking = at_least - (left["calls"] if left else 0.0)
        return max(lacking, 0.1) * 60.0 / self._a_minute
