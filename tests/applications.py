"""The service's application in this process. Putting its routes together takes longer than most
tests: what one test has left, another takes over with a state of its own.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeAlias

from litestar import Litestar

from app.main import application, state_before
from app.settings import Settings
from app.web.frame import Frame

# All that an application takes from its settings and does not keep in its state.
Put: TypeAlias = tuple[int, tuple[str, ...]]

_left: defaultdict[Put, list[Frame]] = defaultdict(list)


@asynccontextmanager
async def living_application(
    settings: Settings, clock: Callable[[], datetime]
) -> AsyncIterator[tuple[Frame, Litestar]]:
    left = _left[settings.body_limit, tuple(settings.trusted_proxies)]
    framed = left.pop() if left else application(settings)
    assert isinstance(framed, Frame)
    app = framed.app
    assert isinstance(app, Litestar)
    app.state = state_before(settings, clock=clock)
    async with alive(app):
        yield framed, app
    left.append(framed)


@asynccontextmanager
async def alive(app: Litestar) -> AsyncIterator[None]:
    """The lifespan wants to end in the task that began it, and fixtures are torn down in others."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await ended.wait()

    living = asyncio.create_task(live())
    beginning = asyncio.create_task(started.wait())
    await asyncio.wait([living, beginning], return_when=asyncio.FIRST_COMPLETED)
    beginning.cancel()
    try:
        if not living.done():
            yield
    finally:
        ended.set()
        await living
