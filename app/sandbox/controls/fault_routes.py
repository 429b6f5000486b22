"""Controls of failures: ours of the neighbours here, the service's own in its processes."""

import msgspec
from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import JSONBody

from app.sandbox.controls.document import answered
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.faults import SERVICE, Fault, Faults

JSON = "application/json"


@get(
    "/faults",
    summary="The faults that are waiting",
    responses={200: answered(list[Fault], description="With the times that are left")},
)
async def list_faults(
    faults: NamedDependency[Faults], service_controls: NamedDependency[ServiceControls]
) -> Response[bytes]:
    return await _all_faults(faults, service_controls)


@put(
    "/faults",
    summary="Set how the service and its neighbours fail; what was set before is gone",
    description=(
        "The first that fits a request meets it. Each has one way to fail, after its delay:"
        " `loseAnswer` (the work is done, the answer never comes), `drop`, `malformed`, `special`"
        " or `status`."
    ),
    responses={200: answered(list[Fault], description="All processes know them")},
)
async def set_faults(
    data: JSONBody[list[Fault]],
    faults: NamedDependency[Faults],
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await _set(data, faults, service_controls)


@delete("/faults", summary="Let the service and its neighbours work again")
async def clear_faults(
    faults: NamedDependency[Faults], service_controls: NamedDependency[ServiceControls]
) -> None:
    answer = await _set([], faults, service_controls)
    if answer.status_code != 200:
        raise HTTPException(status_code=502, detail="The service does not answer.")


async def _set(
    given: list[Fault], faults: Faults, service_controls: ServiceControls
) -> Response[bytes]:
    faults.set([fault for fault in given if fault.target != SERVICE])
    of_service = [fault for fault in given if fault.target == SERVICE]
    if service_controls.are_there:
        answer = await service_controls.forward("PUT", "/faults", msgspec.json.encode(of_service))
        if answer.status_code != 204:
            return answer
    return await _all_faults(faults, service_controls)


async def _all_faults(faults: Faults, service_controls: ServiceControls) -> Response[bytes]:
    of_service: list[Fault] = []
    if service_controls.are_there:
        answer = await service_controls.forward("GET", "/faults")
        if answer.status_code != 200:
            return answer
        of_service = msgspec.json.decode(answer.content, type=list[Fault])
    every = msgspec.json.encode([*faults.current(), *of_service])
    return Response(every, status_code=200, media_type=JSON)


FAULT_CONTROLS = (list_faults, set_faults, clear_faults)
