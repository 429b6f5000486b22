"""Everything below /altinn."""

from litestar import Router
from litestar.di import Provide

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.authorized_parties_routes import list_authorized_parties
from app.sandbox.altinn.callers import Refused, refused
from app.sandbox.altinn.decision_routes import authorize
from app.sandbox.altinn.exchange import exchange
from app.sandbox.altinn.maskinporten_delegations import maskinporten_delegations
from app.sandbox.altinn.numbers import OutOfOrder
from app.sandbox.altinn.problems import (
    AltinnProblem,
    FrameworkProblem,
    altinn_problem,
    framework_problem,
    out_of_order,
)
from app.sandbox.altinn.request_routes import (
    ask_for_either,
    ask_for_package,
    ask_for_resource,
    party_urns,
    read_status,
    withdraw,
)
from app.sandbox.altinn.resource_registry import read_resource, updated_resources

PATH = "/altinn"


def altinn_router(altinn: Altinn) -> Router:
    return Router(
        path=PATH,
        route_handlers=[
            exchange,
            maskinporten_delegations,
            list_authorized_parties,
            authorize,
            party_urns,
            ask_for_resource,
            ask_for_either,
            ask_for_package,
            read_status,
            withdraw,
            read_resource,
            updated_resources,
        ],
        dependencies={"altinn": Provide(lambda: altinn, sync_to_thread=False)},
        exception_handlers={
            Refused: refused,
            AltinnProblem: altinn_problem,
            FrameworkProblem: framework_problem,
            OutOfOrder: out_of_order,
        },
        include_in_schema=False,
    )
