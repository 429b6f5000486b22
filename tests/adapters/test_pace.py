"""Not calling a neighbour more often than it wants to be, by all processes together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.enhetsregisteret import ANSWERS_WITHIN, TRIES, Enhetsregisteret
from app.adapters.http import Neighbour
from app.adapters.pace import PATIENCE, Pace
from app.database import Database
from app.delegations.budget import shared_budgets
from app.organizations.register import RegisterEntry, RegisterUnavailable, Verdict
from tests.raw_server import Asked, answer, raw_server
from tests.serving import settings_for

A_SECOND = 3


@asynccontextmanager
async def process(database_url: str, register_url: str) -> AsyncIterator[Enhetsregisteret]:
    """What a process has of its own."""
    database = Database(database_url)
    await database.open()
    budget = shared_budgets(database, settings_for(database_url)).register
    neighbour = Neighbour(
        register_url,
        contact="x",
        within=ANSWERS_WITHIN,
        tries=TRIES,
        pace=Pace(budget, "enhetsregisteret"),
    )
    async with neighbour:
        yield Enhetsregisteret(neighbour)
    await database.close()


@pytest.mark.alone
async def test_the_register_is_called_three_times_a_second_and_whoever_would_wait_long_does_not(
    database_url: str,
) -> None:
    moments: list[float] = []

    async def says(asked: Asked) -> bytes:
        moments.append(time.monotonic())
        # Each try counts: the first of all fails.
        return answer(503 if len(moments) == 1 else 410)

    async with (
        raw_server(says) as register,
        process(database_url, register.url) as one,
        process(database_url, register.url) as other,
    ):
        began = time.monotonic()
        asking = [(one, other)[n % 2].look_up(f"31000{n:04}", known=None) for n in range(12)]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert time.monotonic() - began < PATIENCE + 0.5
        told = [entry for entry in answers if isinstance(entry, RegisterEntry)]
        assert 2 <= len(told) <= A_SECOND
        assert all(isinstance(entry, (RegisterEntry, RegisterUnavailable)) for entry in answers)
        # To have waited in vain is no failure of the register's.
        entries = [await one.look_up("310000019", known=None) for _ in range(3)]
    assert [entry.verdict for entry in entries] == [Verdict.REMOVED] * 3
    for first, fourth in zip(moments, moments[A_SECOND:], strict=False):
        assert fourth - first > 0.95
