"""GET oppdateringer/enheter and /underenheter: what has changed, in the order it did."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency

from app.sandbox.enhetsregisteret.register import Register, Update
from app.sandbox.enhetsregisteret.requests import (
    DEFAULT_SIZE,
    MOST_RESULTS,
    BadRequest,
    RegisterRequest,
    check_accept,
    json_answer,
    whole_number,
)

KINDS = {"enhet": "oppdaterteEnheter", "underenhet": "oppdaterteUnderenheter"}


@get("/oppdateringer/enheter")
async def updated_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    updates = [one for one in register.updates if not one.is_sub_unit]
    return _feed(request, api, "enhet", updates)


@get("/oppdateringer/underenheter")
async def updated_sub_units(
    request: RegisterRequest, api: NamedDependency[str], register: NamedDependency[Register]
) -> Response[bytes]:
    updates = [one for one in register.updates if one.is_sub_unit]
    return _feed(request, api, "underenhet", updates)


def _feed(request: RegisterRequest, api: str, kind: str, updates: list[Update]) -> Response[bytes]:
    """Both limits include what they name."""
    served = f"oppdatering.{kind}"
    check_accept(request, served, version=1)
    number, size = whole_number(request, "page", 0), whole_number(request, "size", DEFAULT_SIZE)
    if (number + 1) * size > MOST_RESULTS or size == 0:
        raise BadRequest(f"(page + 1) * size må være fra 1 til {MOST_RESULTS}")
    first, since = whole_number(request, "oppdateringsid", 0), _moment(request)
    found = [one for one in updates if one.identifier >= first and one.at >= since]
    on_page = found[number * size : (number + 1) * size]
    rows = [_row(one, api, kind) for one in on_page]
    body = {
        **({"_embedded": {KINDS[kind]: rows}} if rows else {}),
        "_links": _links(request, f"{api}/oppdateringer/{kind}er", number, size, len(found)),
        "page": {
            "size": size,
            "totalElements": len(found),
            "totalPages": -(-len(found) // size),
            "number": number,
        },
    }
    return json_answer(request, body, served, version=1)


def _moment(request: RegisterRequest) -> datetime:
    text = request.query_params.get("dato")
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("dato må være et tidspunkt etter ISO 8601") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row(update: Update, api: str, kind: str) -> dict[str, Any]:
    at = update.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "oppdateringsid": update.identifier,
        "dato": at,
        "organisasjonsnummer": update.number,
        "endringstype": update.kind,
        "_links": {kind: {"href": f"{api}/{kind}er/{update.number}"}},
    }


def _links(
    request: RegisterRequest, address: str, number: int, size: int, total: int
) -> dict[str, Any]:
    asked = {name: str(value) for name, value in request.query_params.items()}

    def page(wanted: int) -> dict[str, str]:
        query = urlencode(asked | {"page": str(wanted), "size": str(size)})
        return {"href": f"{address}?{query}"}

    links = {"self": page(number)}
    if (number + 1) * size < total:
        links["next"] = page(number + 1)
    return links
