"""How often something may be asked for. PostgreSQL counts, so that every process counts together.

A window is fixed: a minute, an hour or a day. Counting is not undone when the request fails: who
asks too often is told so whatever he asks for.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ARRAY, TIMESTAMP, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from app.access.models import RequestCount
from app.database import Connection, HotStatement
from app.problems import TooManyRequests

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_asked = (
    func.unnest(
        bindparam("names", type_=ARRAY(Text)),
        bindparam("starts", type_=ARRAY(TIMESTAMP(timezone=True))),
        bindparam("ends", type_=ARRAY(TIMESTAMP(timezone=True))),
    )
    .table_valued("name", "start", "end")
    .render_derived(name="asked")
)
COUNTED = (
    insert(RequestCount)
    .from_select(
        ["name", "window_start", "window_end", "count"],
        # In one order, so that two requests never wait for each other crosswise.
        select(_asked.c.name, _asked.c.start, _asked.c.end, literal_column("1")).order_by(
            _asked.c.name
        ),
    )
    .on_conflict_do_update(
        index_elements=[RequestCount.name, RequestCount.window_start],
        set_={"count": RequestCount.count + 1},
    )
    .returning(RequestCount.name, RequestCount.count)
    .cte("counted")
)
COUNTS = cast(
    select(func.json_object_agg(COUNTED.c.name, COUNTED.c.count)).scalar_subquery(), Text
).label("counts")
"""Counting, as a column of a hot statement whose values come from `asked_for`."""
_COUNT = HotStatement(select(COUNTS))


class Limit(Struct, frozen=True):
    """At most `most` in each `window`."""

    name: str
    window: timedelta
    most: int
    what: str
    """What is limited, for the one who is refused."""
    hint: str = ""
    """Its name in the headers that tell of it; empty where none does."""

    def start(self, now: datetime) -> datetime:
        return now - (now - EPOCH) % self.window

    def end(self, now: datetime) -> datetime:
        return self.start(now) + self.window

    def seconds_left(self, now: datetime) -> int:
        return math.ceil((self.end(now) - now).total_seconds())

    def refusal(self, now: datetime) -> TooManyRequests:
        seconds = self.seconds_left(now)
        return TooManyRequests(
            f"At most {self.most} {self.what}. Try again in {seconds} s.", retry_after=seconds
        )


class Refused:
    """Who has passed a limit, as long as its window lasts. It never grows past `most`."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._until: dict[str, datetime] = {}

    def add(self, limit: Limit, now: datetime) -> None:
        # The one who was refused first is forgotten first: he is counted, and refused, again.
        while len(self._until) >= self._most:
            del self._until[next(iter(self._until))]
        self._until[limit.name] = limit.end(now)

    def check(self, limit: Limit, now: datetime) -> None:
        """Refuse whom `limit` has refused in this window."""
        until = self._until.get(limit.name)
        if until is None:
            return
        if now < until:
            raise limit.refusal(now)
        del self._until[limit.name]

    def __len__(self) -> int:
        return len(self._until)


def asked_for(limits: Sequence[Limit], now: datetime) -> dict[str, list[Any]]:
    """The values of `COUNTS`. `now` is real time."""
    return {
        "names": [limit.name for limit in limits],
        "starts": [limit.start(now) for limit in limits],
        "ends": [limit.end(now) for limit in limits],
    }


def passed(limits: Sequence[Limit], counts: str) -> list[Limit]:
    """Which of `limits` are passed, by what the statement has counted."""
    counted = msgspec.json.decode(counts, type=dict[str, int])
    return [limit for limit in limits if counted[limit.name] > limit.most]


def hints(limits: Sequence[Limit], counts: str, now: datetime) -> dict[str, str]:
    """The limits and what is left of them, as headers (the httpapi group's Internet-Draft)."""
    counted = msgspec.json.decode(counts, type=dict[str, int])
    told = [limit for limit in limits if limit.hint]
    policy = [
        f'"{limit.hint}";q={limit.most};w={int(limit.window.total_seconds())}' for limit in told
    ]
    left = [
        f'"{limit.hint}";r={max(0, limit.most - counted[limit.name])};t={limit.seconds_left(now)}'
        for limit in told
    ]
    return {"RateLimit-Policy": ", ".join(policy), "RateLimit": ", ".join(left)}


async def exceeded(connection: Connection, limits: Sequence[Limit], now: datetime) -> list[Limit]:
    """Count once for each of `limits`, and tell which are passed. `now` is real time."""
    row = await _COUNT.row(connection, **asked_for(limits, now))
    assert row is not None  # the statement answers one row
    return passed(limits, row["counts"])
