"""Looking an organization up."""

from datetime import datetime

from app.database import Sessions
from app.organizations.memory import Found, fallen_back, remembered
from app.organizations.queries import answer_kept, entry_of, remembered_organization
from app.organizations.register import Register, RegisterEntry, RegisterUnavailable
from app.organizations.rules import MOST_LEVELS
from app.organizations.verdicts import Above


async def organization_of(
    sessions: Sessions, register: Register, number: str, *, now: datetime
) -> Found | None:
    """What Enhetsregisteret says of `number`. None: it cannot be reached and nothing is known.

    Two transactions, because none may be open while we wait for the register.
    """
    async with sessions.begin() as db:
        row = await remembered_organization(db, number)
    known = None if row is None else entry_of(row)
    if row is not None and known is not None and not row.outdated:
        found = remembered(known, row.checked_at, now)
        if found is not None:
            return found

    try:
        entry = await register.look_up(number, known=known)
    except RegisterUnavailable:
        return None if row is None else fallen_back(entry_of(row), row.checked_at, now)

    async with sessions.begin() as db:
        await db.execute(answer_kept(number, entry, now))
    return Found(entry)


async def units_above(
    sessions: Sessions, register: Register, entry: RegisterEntry, *, now: datetime
) -> list[Above]:
    """Those that it belongs to, the nearest first, as far up as the register can be asked."""
    found: list[Above] = []
    above = entry.main_unit
    while above is not None and len(found) < MOST_LEVELS:
        known = await organization_of(sessions, register, above, now=now)
        if known is None:
            break
        found.append(Above(above, known.entry.verdict))
        above = known.entry.main_unit
    return found
