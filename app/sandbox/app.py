"""Composition of the neighbours' process. `granian --factory app.sandbox.app:create_app`."""

import os
from datetime import UTC, datetime

from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp

from app.sandbox.controls.routes import controls_router
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.enhetsregisteret.routes import register_router
from app.sandbox.faults import FaultInjection, Faults
from app.sandbox.neighbours import Neighbours, read_neighbours
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.router import issuer_router

MAX_BODY = 65_536


def create_app() -> ASGIApp:
    return app_for(read_neighbours(os.environ))


def app_for(neighbours: Neighbours) -> ASGIApp:
    issuer = Issuer(
        neighbours.issuer_url,
        registration_token=neighbours.registration_token,
        login_client=neighbours.login_client,
        now=datetime.now(UTC),
    )
    faults = Faults()
    service_controls = ServiceControls(neighbours.controls_url, neighbours.controls_secret)
    litestar = Litestar(
        route_handlers=[
            issuer_router(issuer),
            register_router(neighbours.enhetsregisteret_url),
            controls_router(neighbours, issuer, faults, service_controls),
        ],
        state=State({"issuer": issuer}),
        on_shutdown=[service_controls.close],
        openapi_config=OpenAPIConfig(
            title="Controls of the sandbox",
            version="1",
            path="/_sandbox/schema",
            operation_id_creator=lambda handler, _, __: handler.handler_name,
        ),
        request_max_body_size=MAX_BODY,
    )
    return FaultInjection(litestar, faults)
