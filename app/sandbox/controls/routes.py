"""The controls' routes. What concerns the service's own state is passed on to the service."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, ServiceUnavailableException
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls
from app.sandbox.altinn.human_steps import give_seeded
from app.sandbox.clock import Clock
from app.sandbox.console.routes import (
    console_script,
    console_style,
    pressing_script,
    show_console,
)
from app.sandbox.controls.altinn_routes import ALTINN_CONTROLS
from app.sandbox.controls.client_routes import CLIENT_CONTROLS
from app.sandbox.controls.clock_routes import advance_clock, show_clock, take_over_time
from app.sandbox.controls.document import answered, controls_document
from app.sandbox.controls.fault_routes import FAULT_CONTROLS
from app.sandbox.controls.guards import demand_json, demand_loopback_host
from app.sandbox.controls.refusals import answer_refusal
from app.sandbox.controls.register_routes import mark_organization
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.controls.token_routes import make_token
from app.sandbox.controls.wire import Mail
from app.sandbox.enhetsregisteret.register import Register
from app.sandbox.faults import Faults
from app.sandbox.journal.entries import Journal
from app.sandbox.journal.routes import list_requests_made, take_over_entries
from app.sandbox.neighbours import Neighbours
from app.sandbox.token_issuer.issuer import Issuer

PATH = "/_sandbox"


@get("/health", summary="Whether the neighbours answer, and know what time it is")
async def health(clock: NamedDependency[Clock]) -> dict[str, str]:
    if not clock.is_known:
        raise ServiceUnavailableException("The service has not said yet what time it is.")
    return {"status": "ok"}


@get("/openapi.json", include_in_schema=False)
async def openapi_document(request: Request[object, object, State]) -> dict[str, Any]:
    litestar: Litestar = request.app
    return controls_document(litestar.openapi_schema.to_schema())


@post(
    "/reset",
    status_code=200,
    summary="Begin anew, here and in the service",
    responses={204: answered(None, description="All is as at the start")},
)
async def reset(
    neighbours: NamedDependency[Neighbours],
    issuer: NamedDependency[Issuer],
    altinn: NamedDependency[Altinn],
    register: NamedDependency[Register],
    calls: NamedDependency[Calls],
    faults: NamedDependency[Faults],
    journal: NamedDependency[Journal],
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    """Here first: what the service publishes while it resets must not be forgotten."""
    issuer.reset(datetime.now(UTC))
    register.reset()
    altinn.maskinporten.reset()
    altinn.reset()
    give_seeded(altinn, neighbours.seed)
    calls.forget()
    faults.set([])
    journal.forget()
    return await service_controls.forward("POST", "/reset")


@get(
    "/mailbox",
    summary="What organizations, suppliers and API owners have been told by mail",
    responses={200: answered(list[Mail], description="Oldest first")},
)
async def show_mailbox(service_controls: NamedDependency[ServiceControls]) -> Response[bytes]:
    return await service_controls.forward("GET", "/mailbox")


@get("/clients", summary="The clients that the token issuer knows")
async def list_clients(issuer: NamedDependency[Issuer]) -> list[dict[str, Any]]:
    return [
        {
            "clientId": client.client_id,
            "created": client.created,
            "updated": client.updated,
            "takesEffect": client.takes_effect,
            "keys": [key.thumbprint for key in client.keys],
            "metadata": msgspec.to_builtins(client.metadata),
        }
        for client in issuer.clients.all()
    ]


@post("/forget-registrations", status_code=204, summary="Let the issuer lose its registrations")
async def forget_registrations(issuer: NamedDependency[Issuer]) -> None:
    issuer.forget_registrations(datetime.now(UTC))


class Controlled(Struct, frozen=True, kw_only=True):
    """All that the controls reach; handlers ask for each by its name here."""

    neighbours: Neighbours
    issuer: Issuer
    clock: Clock
    register: Register
    altinn: Altinn
    calls: Calls
    faults: Faults
    service_controls: ServiceControls
    journal: Journal


def controls_router(controlled: Controlled) -> Router:
    programs = Router(
        path="/",
        guards=[demand_json],
        route_handlers=[
            show_console,
            console_script,
            pressing_script,
            console_style,
            health,
            openapi_document,
            reset,
            *CLIENT_CONTROLS,
            show_mailbox,
            list_clients,
            forget_registrations,
            *FAULT_CONTROLS,
            *ALTINN_CONTROLS,
            mark_organization,
            show_clock,
            advance_clock,
            list_requests_made,
            make_token,
        ],
    )
    return Router(
        path=PATH,
        # Who calls the service's word has its secret, and may have to use another name.
        route_handlers=[
            take_over_time,
            take_over_entries,
            Router("/", guards=[demand_loopback_host], route_handlers=[programs]),
        ],
        exception_handlers={HTTPException: answer_refusal},
        dependencies={
            name: _provide(getattr(controlled, name)) for name in Controlled.__struct_fields__
        },
    )


def _provide(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
