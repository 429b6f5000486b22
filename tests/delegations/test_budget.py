"""The budget of calls, which every process takes from."""

import asyncio

import pytest
from sqlalchemy import func, text, update

from app.database import Database
from app.delegations.budget import SharedBudget
from app.delegations.models import CallBudget


def a_minute(database: Database, calls: int) -> SharedBudget:
    return SharedBudget(database, calls / 60.0, at_once=float(calls))


async def test_no_more_calls_are_made_than_there_are(database: Database, database_url: str) -> None:
    other = Database(database_url)
    await other.open()
    budgets = [a_minute(database, 20), a_minute(other, 20)]
    waits = await asyncio.gather(*(budgets[n % 2].take("pdp", urgent=True) for n in range(60)))
    await other.close()
    made = waits.count(0.0)
    assert 20 <= made <= 22  # it fills while it is emptied: one call in three seconds
    assert all(0 < wait <= 4 for wait in waits if wait)


async def test_what_nobody_waits_for_leaves_a_part_to_the_others(database: Database) -> None:
    budget = a_minute(database, 40)
    background = [await budget.take("pdp", urgent=False) for _ in range(40)]
    assert 30 <= background.count(0.0) <= 32
    urgent = [await budget.take("pdp", urgent=True) for _ in range(40)]
    assert 9 <= urgent.count(0.0) <= 11
    assert 10 < await budget.take("pdp", urgent=False) < 18


async def test_products_have_a_budget_each(database: Database) -> None:
    budget = a_minute(database, 1)
    assert await budget.take("pdp", urgent=True) == 0
    assert await budget.take("pdp", urgent=True) > 0
    assert await budget.take("authorizedParties", urgent=True) == 0


@pytest.mark.parametrize(("seconds", "calls"), [(30, 30), (60, 60), (6000, 60)])
async def test_it_fills_evenly_and_not_over_the_brim(
    database: Database, seconds: int, calls: int
) -> None:
    budget = a_minute(database, 60)
    await budget.take("pdp", urgent=True)
    async with database.sessions.begin() as db:
        ago = func.clock_timestamp() - text(f"interval '{seconds} seconds'")
        await db.execute(update(CallBudget).values(calls=0.0, counted_at=ago))
    made = [await budget.take("pdp", urgent=True) for _ in range(70)].count(0.0)
    assert calls <= made <= calls + 2
