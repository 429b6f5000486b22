"""Not calling a neighbour more often than it wants to be."""

import asyncio

from app.adapters.http import NoAnswer
from app.delegations.altinn import Budget

PATIENCE = 1.0


class Pace:
    """Lets calls out one after another, as soon as there is one in the budget.

    Whoever would have to wait longer than `PATIENCE` goes without an answer.
    """

    def __init__(self, budget: Budget, product: str) -> None:
        self._budget = budget
        self._product = product
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                while True:
                    seconds = await self._budget.take(self._product, urgent=True)
                    if seconds <= 0:
                        return
                    await asyncio.sleep(seconds)
        except TimeoutError:
            raise NoAnswer("not asked: it has had as many calls as it wants") from None
