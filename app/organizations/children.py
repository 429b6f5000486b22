"""Whether sub-units stand below the organization that names them, as far as the register says."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from app.database import Sessions
from app.organizations.register import Register, Verdict
from app.organizations.rules import MOST_LEVELS
from app.organizations.use_cases import organization_of
from app.problems import FieldError

# Beyond these a request does not wait for the register: what it does not say is not held against
# anybody, and what was learnt meanwhile is remembered for the next request.
AT_ONCE = 4
WITHIN = 2.0


async def not_below_errors(
    sessions: Sessions,
    register: Register,
    numbers: Sequence[str],
    parent: str,
    *,
    pointer: str,
    now: datetime,
) -> list[FieldError]:
    """One for each of `numbers` that the register knows and that does not stand below `parent`."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def judged(index: int, number: str) -> FieldError | None:
        async with turns:
            if await _may_stand_below(sessions, register, number, parent, now):
                return None
        return FieldError(
            f"{pointer}/{index}",
            "not_below_organization",
            f"Enhetsregisteret does not have {number} as a sub-unit of {parent}. Leave it out, or"
            " use the number of the main unit that it belongs to as the organization number.",
        )

    asking = [asyncio.create_task(judged(*each)) for each in enumerate(numbers)]
    if not asking:
        return []
    done, late = await asyncio.wait(asking, timeout=WITHIN)
    for task in late:
        task.cancel()
    return [error for task in asking if task in done and (error := task.result())]


async def _may_stand_below(
    sessions: Sessions, register: Register, number: str, parent: str, now: datetime
) -> bool:
    for _ in range(MOST_LEVELS):
        if number == parent:
            return True
        found = await organization_of(sessions, register, number, now=now)
        if found is None:
            return True
        if found.entry.verdict not in (Verdict.SUB_UNIT, Verdict.ORGANIZATIONAL_PART):
            return False
        if found.entry.main_unit is None:
            return True
        number = found.entry.main_unit
    return False
