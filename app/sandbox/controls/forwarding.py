"""Passing a control on to the service, with the body as it came."""

from litestar import Request, Response
from litestar.datastructures import State

from app.sandbox.controls.service_controls import ServiceControls

ControlRequest = Request[object, object, State]


async def forwarded(
    request: ControlRequest, service_controls: ServiceControls, path: str
) -> Response[bytes]:
    return await service_controls.forward(request.method, path, await request.body())
