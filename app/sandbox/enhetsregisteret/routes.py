"""GET enheter and underenheter, one and searched."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.sandbox.enhetsregisteret.answers import removed, search_result, unit
from app.sandbox.enhetsregisteret.organizations import Organization, Standing
from app.sandbox.enhetsregisteret.register import Register

PATH = "/brreg/enhetsregisteret/api"
NUMBER = re.compile(r"[0-9]{9}", re.ASCII)
MOST_RESULTS = 10_000
DEFAULT_SIZE = 20

RegisterRequest = Request[object, object, State]


class WrongMediaType(Exception):
    """What the caller accepts is not what is served, as with the first version of the API."""


class BadRequest(Exception):
    """The text stands in the answer, as the register puts it."""


def media_type(kind: str) -> str:
    return f"application/vnd.brreg.enhetsregisteret.{kind}.v2+json"


def check_accept(request: RegisterRequest, kind: str) -> None:
    accepted = request.headers.get("accept", "*/*").lower().split(",")
    served = {media_type(kind), "application/json", "application/*", "*/*"}
    if not served & {part.split(";")[0].strip() for part in accepted}:
        raise WrongMediaType


@get("/enheter/{number:str}")
async def read_unit(
    number: FromPath[str],
    request: RegisterRequest,
    api: NamedDependency[str],
    register: NamedDependency[Register],
) -> Response[bytes]:
    return _one(register.find, number, request, "enhet", api, lambda one: not one.is_sub_unit)


@get("/underenheter/{number:str}")
async def read_sub_unit(
    number: FromPath[str],
    request: RegisterRequest,
    api: NamedDependency[str],
    register: NamedDependency[Register],
) -> Response[bytes]:
    return _one(register.find, number, request, "underenhet", api, lambda one: one.is_sub_unit)


@get("/enheter")
async def search_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    return _search(register, request, "enhet", api, lambda one: not one.is_sub_unit)


@get("/underenheter")
async def search_sub_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    return _search(register, request, "underenhet", api, lambda one: one.is_sub_unit)


def _one(
    find: Callable[[str], Organization | None],
    number: str,
    request: RegisterRequest,
    kind: str,
    api: str,
    belongs: Callable[[Organization], bool],
) -> Response[bytes]:
    check_accept(request, kind)
    if not NUMBER.fullmatch(number):
        raise BadRequest("Organisasjonsnummeret må bestå av 9 siffer")
    organization = find(number)
    if organization is None or not belongs(organization):
        return Response(b"", status_code=404)
    if organization.standing is Standing.REMOVED_SILENTLY:
        return Response(b"", status_code=410)
    if organization.standing is Standing.REMOVED:
        return _json(request, removed(organization), kind, status=410)
    return _json(request, unit(organization, api), kind)


def _search(
    register: Register,
    request: RegisterRequest,
    kind: str,
    api: str,
    belongs: Callable[[Organization], bool],
) -> Response[bytes]:
    check_accept(request, kind)
    number, size = _whole(request, "page", 0), _whole(request, "size", DEFAULT_SIZE)
    if (number + 1) * size > MOST_RESULTS:
        raise BadRequest(f"(page + 1) * size kan ikke være større enn {MOST_RESULTS}")
    candidates = _candidates(register, request)
    found = [one for one in candidates if belongs(one) and _matches(request, one)]
    result = search_result(
        found, kind=f"{kind}er", number=number, size=size, address=f"{api}/{kind}er", api=api
    )
    return _json(request, result, kind)


def _candidates(register: Register, request: RegisterRequest) -> list[Organization]:
    """By number everything is found; otherwise only what the table names."""
    numbers = request.query_params.get("organisasjonsnummer")
    if numbers is None:
        return [one for one in register.all_named() if one.is_served and not one.is_deleted]
    wanted = [register.find(number) for number in numbers.split(",") if NUMBER.fullmatch(number)]
    return [one for one in wanted if one and one.is_served]


def _matches(request: RegisterRequest, organization: Organization) -> bool:
    name = request.query_params.get("navn", "").upper()
    parent = request.query_params.get("overordnetEnhet")
    return name in organization.name and parent in (None, organization.parent)


def _whole(request: RegisterRequest, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest(f"{name} må være et heltall")
    return int(text)


def _json(
    request: RegisterRequest, body: dict[str, Any], kind: str, status: int = 200
) -> Response[bytes]:
    content = json.dumps(body, ensure_ascii=False).encode()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    if status == 200 and etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers={"ETag": etag})
    headers = {"ETag": etag} if status == 200 else {}
    kind_sent = f"{media_type(kind)};charset=UTF-8"
    return Response(content, status_code=status, media_type=kind_sent, headers=headers)


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
        route_handlers=[read_unit, read_sub_unit, search_units, search_sub_units],
        dependencies={
            "api": Provide(lambda: api, sync_to_thread=False),
            "register": Provide(lambda: register, sync_to_thread=False),
        },
        exception_handlers={BadRequest: bad_request, WrongMediaType: wrong_media_type},
        include_in_schema=False,
    )
