"""Controls of the time. The service's clock is moved, and tells ours at each of its steps."""

import asyncio
import hmac
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody
from msgspec import Struct

from app.sandbox.altinn.calls import Calls
from app.sandbox.clock import Clock
from app.sandbox.controls.document import answered
from app.sandbox.controls.service_controls import SECRET_HEADER, ServiceControls
from app.sandbox.controls.wire import Advance, Moved, Time

ASK_AGAIN_AFTER_SECONDS = 0.1
# A jump of years plays all that fell due on the way.
MOVED_WITHIN_SECONDS = 600


class Ahead(Struct, frozen=True, rename="camel"):
    ahead_seconds: float


@get(
    "/clock",
    summary="What time it is in the service's domain",
    responses={200: answered(Time, description="The domain's time")},
)
async def show_clock(service_controls: NamedDependency[ServiceControls]) -> Response[bytes]:
    return await service_controls.forward("GET", "/clock")


@post(
    "/clock/advance",
    status_code=200,
    summary="Move the time on, and wait until all that fell due has been done",
    description=(
        "Moves the time by which drafts expire, keys end, owners decide and Altinn is asked, in"
        " every process of the service and in the stand-ins, step by step in the order of what"
        " falls due. It goes forward only; `reset` brings the real time back. Tokens, proofs,"
        " assertions and logins always go by the real time."
    ),
    responses={200: answered(Moved, description="All that fell due has been done")},
)
async def advance_clock(
    data: JSONBody[Advance],
    service_controls: NamedDependency[ServiceControls],
    calls: NamedDependency[Calls],
) -> Response[bytes]:
    before = calls.counts()
    answer = await service_controls.forward(
        "POST", "/clock/advance", msgspec.json.encode(data), within=MOVED_WITHIN_SECONDS
    )
    if answer.status_code != 200:
        return answer
    moved = msgspec.json.decode(answer.content, type=Moved)
    made = {name: count - before[name] for name, count in calls.counts().items()}
    told = msgspec.structs.replace(moved, calls={name: n for name, n in made.items() if n})
    return Response(msgspec.json.encode(told), media_type="application/json")


@put("/time", status_code=204, include_in_schema=False)
async def take_over_time(
    data: JSONBody[Ahead],
    request: Request[Any, Any, State],
    clock: NamedDependency[Clock],
    service_controls: NamedDependency[ServiceControls],
) -> None:
    """The service's word, at each step of its clock."""
    given = request.headers.get(SECRET_HEADER, "")
    if not hmac.compare_digest(given.encode(), service_controls.secret.encode()):
        raise NotFoundException
    clock.go_by(timedelta(seconds=data.ahead_seconds))


async def ask_for_time(clock: Clock, service_controls: ServiceControls) -> None:
    """This process may have been started later than the service, whose clock was moved before."""
    while not clock.is_known:
        answer = await service_controls.forward("GET", "/clock")
        if answer.status_code == 200:
            time = msgspec.json.decode(answer.content, type=Ahead)
            clock.go_by(timedelta(seconds=time.ahead_seconds))
        else:
            await asyncio.sleep(ASK_AGAIN_AFTER_SECONDS)
