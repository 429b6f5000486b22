"""Composition of the neighbours' process. `granian --factory app.sandbox.app:create_app`."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.response import Redirect
from litestar.types import ASGIApp

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls, CountCalls
from app.sandbox.altinn.human_steps import give_seeded
from app.sandbox.altinn.router import altinn_router
from app.sandbox.altinn_pages.router import altinn_pages_router
from app.sandbox.clock import Clock
from app.sandbox.controls.clock_routes import ask_for_time
from app.sandbox.controls.routes import PATH as CONTROLS
from app.sandbox.controls.routes import Controlled, controls_router
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.enhetsregisteret.register import Register
from app.sandbox.enhetsregisteret.routes import register_router
from app.sandbox.faults import FaultInjection, Faults, neighbour_at
from app.sandbox.journal.entries import Journal
from app.sandbox.journal.recording import Policy, Recording
from app.sandbox.maskinporten.maskinporten import Maskinporten
from app.sandbox.maskinporten.routes import maskinporten_router
from app.sandbox.neighbours import Neighbours, read_neighbours
from app.sandbox.people import People
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.router import issuer_router

MAX_BODY = 65_536

logger = logging.getLogger(__name__)


def unexpected(
    request: Request[object, object, State], error: Exception
) -> Response[dict[str, str]]:
    """A mistake of the stand-ins' own, which must not pass for an answer of the neighbour's."""
    logger.error("%s %s", request.method, request.url.path, exc_info=error)
    return Response({"detail": "The sandbox itself failed."}, status_code=500)


@get("/", include_in_schema=False, sync_to_thread=False)
def to_page() -> Redirect:
    """For whoever opens the bare address."""
    return Redirect(f"{CONTROLS}/")


def create_app() -> ASGIApp:
    return app_for(read_neighbours(os.environ))


def app_for(neighbours: Neighbours, clock: Clock | None = None) -> ASGIApp:
    people = People(neighbours.seed.persons)
    issuer = _issuer(neighbours, people)
    clock = clock or Clock(is_told=bool(neighbours.controls_url))
    register = Register(neighbours.seed.organizations)
    maskinporten = Maskinporten(neighbours.maskinporten_url, neighbours.maskinporten_client)
    altinn = _altinn(neighbours, maskinporten, register, people, clock)
    give_seeded(altinn, neighbours.seed)
    faults = Faults()
    service_controls = ServiceControls(neighbours.controls_url, neighbours.controls_secret)
    controlled = Controlled(
        neighbours=neighbours,
        issuer=issuer,
        clock=clock,
        register=register,
        altinn=altinn,
        calls=Calls(),
        faults=faults,
        service_controls=service_controls,
        journal=Journal(),
    )
    litestar = _stand_ins(
        issuer_router(issuer),
        register_router(register, neighbours.enhetsregisteret_url),
        maskinporten_router(maskinporten),
        altinn_router(altinn),
        altinn_pages_router(altinn),
        controls_router(controlled),
        state={"issuer": issuer, "altinn": altinn},
        service_controls=service_controls,
        clock=clock,
    )
    answering = FaultInjection(litestar, faults)
    return Recording(
        CountCalls(answering, controlled.calls),
        policy=Policy(bases=[neighbours.neighbours_url], issuer=issuer.url),
        keep=controlled.journal.add,
        called=neighbour_at,
    )


def _issuer(neighbours: Neighbours, people: People) -> Issuer:
    return Issuer(
        neighbours.issuer_url,
        registration_token=neighbours.registration_token,
        login_client=neighbours.login_client,
        now=datetime.now(UTC),
        people=people,
        strict=neighbours.strict,
    )


def _altinn(
    neighbours: Neighbours,
    maskinporten: Maskinporten,
    register: Register,
    people: People,
    clock: Clock,
) -> Altinn:
    return Altinn(
        neighbours.altinn_url,
        neighbours.altinn_pages_url,
        maskinporten=maskinporten,
        register=register,
        people=people,
        clock=clock,
        subscription_key=neighbours.altinn_subscription_key,
        time_scale=neighbours.time_scale,
    )


def _stand_ins(
    *routers: Router, state: dict[str, object], service_controls: ServiceControls, clock: Clock
) -> Litestar:
    @asynccontextmanager
    async def alive(_: Litestar) -> AsyncIterator[None]:
        asking = asyncio.create_task(ask_for_time(clock, service_controls), name="time")
        yield
        asking.cancel()
        await service_controls.close()

    return Litestar(
        route_handlers=[*routers, to_page],
        state=State(state),
        lifespan=[alive],
        openapi_config=OpenAPIConfig(
            title="Controls of the sandbox",
            version="1",
            path="/_sandbox/schema",
            operation_id_creator=lambda handler, _, __: handler.handler_name,
        ),
        exception_handlers={500: unexpected},
        # The framework's own would write every request that we pass on.
        logging_config=None,
        request_max_body_size=MAX_BODY,
    )
