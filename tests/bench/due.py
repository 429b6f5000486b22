"""How many delegations that are due are taken, asked about and kept in a second, by the clock.

Altinn answers at once and by no wire here: what is measured is what is done beside the calls.
"""

import asyncio
from collections import Counter

from msgspec import Struct

from app.database import Database
from app.embedded_postgres.launcher import embedded_postgres
from app.worker import DELEGATION_LANES, DELEGATIONS_AT_ONCE
from tests.databases import migrated_template, new_database
from tests.delegations.many import ask_about_all, make_due

WORKERS = 3


class Load(Struct, frozen=True):
    name: str
    records: int
    at_once: int
    lanes: int
    least: float | None = None
    """In a second."""


LOADS = [
    Load("a thousand at once", 100_000, at_once=1_000, lanes=1, least=10_000),
    # The worker has few calls under way: they take far longer than what is beside them.
    Load("as the worker asks", 20_000, at_once=DELEGATIONS_AT_ONCE, lanes=DELEGATION_LANES),
]


class Rate(Struct, frozen=True):
    load: Load
    a_second: float
    each_once: bool

    @property
    def is_good(self) -> bool:
        return self.each_once and (self.load.least is None or self.a_second >= self.load.least)


def measured() -> list[Rate]:
    with embedded_postgres() as server_url, migrated_template(server_url) as template:
        rates = []
        for load in LOADS:
            with new_database(server_url, template) as url:
                rates.append(asyncio.run(_measured(url, load)))
        return rates


async def _measured(database_url: str, load: Load) -> Rate:
    database = Database(database_url)
    await make_due(database, load.records)
    worked = await ask_about_all(
        database_url, workers=WORKERS, at_once=load.at_once, lanes=load.lanes
    )
    await database.engine.dispose()
    asked: Counter[str] = sum((each.asked for each in worked), start=Counter())
    return Rate(
        load,
        a_second=load.records / max(each.seconds for each in worked),
        each_once=len(asked) == asked.total() == load.records,
    )


def report(rates: list[Rate]) -> bool:
    """Print what was found; whether all of it is as it should be."""
    print(f"{WORKERS} workers keep what Altinn says of delegations that are due, in a second:")
    for rate in rates:
        mark = "" if rate.is_good else "  NOT AS IT SHOULD BE"
        least = f", at least {rate.load.least:.0f}" if rate.load.least else ""
        print(f"  {rate.load.name:20}{rate.a_second:8.0f}{least}{mark}")
    return all(rate.is_good for rate in rates)
