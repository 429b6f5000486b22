"""The open register of resources: what each is called, and when its rules last changed."""

from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.callers import AltinnRequest
from app.sandbox.altinn.numbers import LONG_AGO
from app.sandbox.altinn.problems import FieldProblem, invalid
from app.sandbox.altinn.resources import RESOURCES, Kind, Resource

REGISTRY = "/resourceregistry/api/v1/resource"
ACCESS_MANAGER = "urn:altinn:rolecode:hadm"


@get(f"{REGISTRY}/{{identifier:str}}")
async def read_resource(identifier: FromPath[str]) -> Response[Any]:
    resource = RESOURCES.get(identifier)
    if resource is None:
        return Response(b"", status_code=404)
    return Response(_body(resource))


@get(f"{REGISTRY}/updated")
async def updated_resources(
    request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> dict[str, Any]:
    since = _since(request)
    updated = {
        identifier: altinn.rules_changed.get(identifier, LONG_AGO) for identifier in RESOURCES
    }
    rows = [
        {
            "subjectUrn": ACCESS_MANAGER,
            "resourceUrn": f"urn:altinn:resource:{identifier}",
            "updatedAt": at.isoformat(),
            "deleted": False,
        }
        for identifier, at in sorted(updated.items(), key=itemgetter(1))
        if since < at
    ]
    return {"links": {"next": None}, "data": rows}


def _since(request: AltinnRequest) -> datetime:
    text = request.query_params.get("since")
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(FieldProblem("STD.VLD-00001", str(error), "$QUERY/since")) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _body(resource: Resource) -> dict[str, Any]:
    return {
        "identifier": resource.identifier,
        "title": resource.title,
        "resourceType": resource.kind.value,
        "status": "Completed",
        "delegable": True,
        "hasCompetentAuthority": {"orgcode": resource.owner},
        "resourceReferences": [
            {
                "referenceSource": "ExternalPlatform",
                "reference": scope,
                "referenceType": "MaskinportenScope",
            }
            for scope in resource.scopes
            if resource.kind is Kind.MASKINPORTEN_SCHEMA
        ],
    }
