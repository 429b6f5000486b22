"""GET enheter and underenheter, one and searched."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.sandbox.enhetsregisteret.answers import removed, search_result, unit
from app.sandbox.enhetsregisteret.organizations import Organization, Standing
from app.sandbox.enhetsregisteret.register import Register
from app.sandbox.enhetsregisteret.requests import (
    DEFAULT_SIZE,
    MOST_RESULTS,
    NUMBER,
    BadRequest,
    RegisterRequest,
    WrongMediaType,
    check_accept,
    json_answer,
    whole_number,
)
from app.sandbox.enhetsregisteret.update_feed import updated_sub_units, updated_units

PATH = "/brreg/enhetsregisteret/api"


@get("/enheter/{number:str}")
async def read_unit(
    number: FromPath[str],
    request: RegisterRequest,
    api: NamedDependency[str],
    register: NamedDependency[Register],
) -> Response[bytes]:
    return _one(register, number, request, "enhet", api)


@get("/underenheter/{number:str}")
async def read_sub_unit(
    number: FromPath[str],
    request: RegisterRequest,
    api: NamedDependency[str],
    register: NamedDependency[Register],
) -> Response[bytes]:
    return _one(register, number, request, "underenhet", api)


@get("/enheter")
async def search_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    return _search(register, request, "enhet", api)


@get("/underenheter")
async def search_sub_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    return _search(register, request, "underenhet", api)


def _one(
    register: Register, number: str, request: RegisterRequest, kind: str, api: str
) -> Response[bytes]:
    check_accept(request, kind)
    if not NUMBER.fullmatch(number):
        raise BadRequest("Organisasjonsnummeret må bestå av 9 siffer")
    organization = register.find(number)
    if organization is None or _kind(organization) != kind:
        return Response(b"", status_code=404)
    if organization.standing is Standing.REMOVED_SILENTLY:
        return Response(b"", status_code=410)
    if organization.standing is Standing.REMOVED:
        return json_answer(request, removed(organization), kind, status=410)
    return json_answer(request, unit(organization, api), kind)


def _search(register: Register, request: RegisterRequest, kind: str, api: str) -> Response[bytes]:
    check_accept(request, kind)
    number, size = whole_number(request, "page", 0), whole_number(request, "size", DEFAULT_SIZE)
    if (number + 1) * size > MOST_RESULTS:
        raise BadRequest(f"(page + 1) * size kan ikke være større enn {MOST_RESULTS}")
    candidates = _candidates(register, request)
    found = [one for one in candidates if _kind(one) == kind and _matches(request, one)]
    result = search_result(
        found, kind=f"{kind}er", number=number, size=size, address=f"{api}/{kind}er", api=api
    )
    return json_answer(request, result, kind)


def _candidates(register: Register, request: RegisterRequest) -> list[Organization]:
    """By number everything is found; otherwise only what the table names."""
    numbers = request.query_params.get("organisasjonsnummer")
    if numbers is None:
        return [one for one in register.all_named() if one.is_served and not one.is_deleted]
    wanted = [register.find(number) for number in numbers.split(",") if NUMBER.fullmatch(number)]
    return [one for one in wanted if one and one.is_served]


def _kind(organization: Organization) -> str:
    return "underenhet" if organization.is_sub_unit else "enhet"


def _matches(request: RegisterRequest, organization: Organization) -> bool:
    name = request.query_params.get("navn", "").upper()
    parent = request.query_params.get("overordnetEnhet")
    return name in organization.name and parent in (None, organization.parent)


def bad_request(request: RegisterRequest, error: BadRequest) -> Response[dict[str, Any]]:
    body = {
        "tidsstempel": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "status": 400,
        "feilmelding": str(error),
        "sti": request.url.path,
        "antallFeil": 1,
        "valideringsfeil": [],
    }
    return Response(body, status_code=400)


def wrong_media_type(_: RegisterRequest, __: WrongMediaType) -> Response[bytes]:
    return Response(b"", status_code=406)


def register_router(register: Register, api: str) -> Router:
    return Router(
        path=PATH,
        route_handlers=[
            read_unit,
            read_sub_unit,
            search_units,
            search_sub_units,
            updated_units,
            updated_sub_units,
        ],
        dependencies={
            "api": Provide(lambda: api, sync_to_thread=False),
            "register": Provide(lambda: register, sync_to_thread=False),
        },
        exception_handlers={BadRequest: bad_request, WrongMediaType: wrong_media_type},
        include_in_schema=False,
    )
