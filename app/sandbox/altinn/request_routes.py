"""Everything below serviceowner/delegationrequests."""

from typing import Any

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.callers import AltinnRequest, Caller, Refused, demand
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.numbers import refuse_out_of_order
from app.sandbox.altinn.parties import ORGANIZATION, PERSON
from app.sandbox.altinn.problems import AltinnProblem, FieldProblem, invalid
from app.sandbox.altinn.request_bodies import (
    REQUESTS,
    package_unknown,
    read_either_body,
    read_resource_body,
    request_body,
)
from app.sandbox.altinn.requests import NotPossible, RequestUnknown, Status

READ = "altinn:serviceowner/delegationrequests.read"
WRITE = "altinn:serviceowner/delegationrequests.write"

Body = dict[str, Any]


@get(f"{REQUESTS}/_meta/urns/party")
async def party_urns(request: AltinnRequest, altinn: NamedDependency[Altinn]) -> list[str]:
    _demand(request, altinn, READ, WRITE)
    return [PERSON, ORGANIZATION]


@post(f"{REQUESTS}/resource", status_code=202)
async def ask_for_resource(request: AltinnRequest, altinn: NamedDependency[Altinn]) -> Body:
    caller = _demand(request, altinn, WRITE)
    return _create(altinn, caller, read_resource_body(altinn, await request.body()))


@post(REQUESTS, status_code=202)
async def ask_for_either(request: AltinnRequest, altinn: NamedDependency[Altinn]) -> Body:
    caller = _demand(request, altinn, WRITE)
    return _create(altinn, caller, read_either_body(altinn, await request.body()))


@post(f"{REQUESTS}/package", status_code=202)
async def ask_for_package(request: AltinnRequest, altinn: NamedDependency[Altinn]) -> Body:
    """The sandbox has no packages that could be asked for."""
    _demand(request, altinn, WRITE)
    raise package_unknown("/package")


@get(f"{REQUESTS}/{{identifier:str}}/status")
async def read_status(
    identifier: FromPath[str], request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> Response[str]:
    """Who created it is not looked at. The body is a JSON string and nothing more."""
    _demand(request, altinn, READ)
    try:
        status = altinn.requests.find(identifier).status
    except RequestUnknown as unknown:
        raise AltinnProblem(404, "AM-00031", "Request not found") from unknown
    return Response(f'"{status.value}"', media_type="application/json")


@put(f"{REQUESTS}/{{identifier:str}}/withdraw")
async def withdraw(
    identifier: FromPath[str], request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> Body:
    caller = _demand(request, altinn, WRITE)
    number = caller.organization_number
    try:
        if altinn.requests.find(identifier).creator != number:
            raise invalid(FieldProblem("AM.VLD-00044", "This party may not do that", "/id"))
        moved = altinn.requests.move(
            identifier, Status.WITHDRAWN, by=number, now=altinn.clock.now()
        )
    except RequestUnknown as unknown:
        raise invalid(FieldProblem("AM.VLD-00035", "Request not found", "/id")) from unknown
    except NotPossible as not_possible:
        title = "Status change is not possible"
        raise invalid(FieldProblem("AM.VLD-00036", title, "/status")) from not_possible
    return request_body(altinn, moved)


def _demand(request: AltinnRequest, altinn: Altinn, *scopes: str) -> Caller:
    caller = demand(request, altinn, *scopes)
    if altinn.settings.feature_off:
        raise Refused(404)
    return caller


def _create(altinn: Altinn, caller: Caller, wanted: Delegation) -> Body:
    refuse_out_of_order(wanted)
    now = altinn.clock.now()
    created = altinn.requests.create(wanted, creator=caller.organization_number, now=now)
    return request_body(altinn, created)
