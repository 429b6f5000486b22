from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from app.apis.queries import Catalogues
from app.client_drafts.replacement import exchange_due, next_exchange_due
from app.database import Sessions
from app.jobs import Job
from app.settings import Settings

EVERY = timedelta(seconds=1)


def exchange_job(
    sessions: Sessions, catalogues: Catalogues, settings: Settings, clock: Callable[[], datetime]
) -> Job:
    """Letting new keys take over from those that were seen lately, once their day is over."""

    async def exchange() -> bool:
        return await exchange_due(sessions, await catalogues.in_force(), settings, now=clock())

    return Job(
        name="key exchanges",
        every=EVERY,
        run=exchange,
        next_due=partial(next_exchange_due, sessions),
    )
