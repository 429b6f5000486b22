"""Whether this process lives, and whether it can serve."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import MediaType, Request, Response, get
from sqlalchemy import text

from app.database import Database
from app.problems import ServiceUnavailable
from app.schema import STATE, misfit

WITHIN_SECONDS = 3
CLOCKS_DIFFER_AT_MOST = timedelta(seconds=2)


@get("/health/live", include_in_schema=False, media_type=MediaType.JSON)
async def live() -> dict[str, str]:
    """The process answers: nothing else is asked."""
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, object]]:
    """The database is there, migrated as far as is needed, and its clock agrees with ours."""
    faults = await _faults(request.app.state.database)
    if faults:
        raise ServiceUnavailable(f"Not ready: {'; '.join(faults)}.")
    return Response({"status": "ready"})


async def _faults(database: Database) -> list[str]:
    try:
        async with asyncio.timeout(WITHIN_SECONDS), database.sessions() as db:
            revision, oldest_code = (await db.execute(text(STATE))).one()
            there = await db.scalar(text("SELECT clock_timestamp()"))
    except Exception as error:  # whatever it is, the service is not ready
        return [f"the database does not answer: {type(error).__name__}"]
    faults = []
    if fault := misfit(revision, oldest_code):
        faults.append(fault)
    if there is None or abs(datetime.now(UTC) - there) > CLOCKS_DIFFER_AT_MOST:
        faults.append("the clock of this host and the database's differ by more than 2 s")
    return faults
