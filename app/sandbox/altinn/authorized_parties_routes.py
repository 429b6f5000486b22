"""POST authorizedparties, under its older and its newer name."""

from typing import Any

import msgspec
from litestar import post
from litestar.di import NamedDependency
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.authorized_parties import Wanted, authorized_parties
from app.sandbox.altinn.callers import AltinnRequest, Caller, demand, demand_subscription
from app.sandbox.altinn.parties import (
    ORGANIZATION,
    ORGANIZATION_UUID,
    PARTY_ID,
    PARTY_UUID,
    PERSON,
    PERSON_UUID,
    SYSTEM_USER,
    USER_ID,
    Party,
)
from app.sandbox.altinn.problems import FieldProblem, invalid
from app.sandbox.altinn.resources import OWNER, RESOURCES
from app.sandbox.faults import special_fault

SCOPE = "altinn:accessmanagement/authorizedparties.resourceowner"
ADMIN_SCOPE = "altinn:accessmanagement/authorizedparties.admin"
PATHS = [
    f"/accessmanagement/api/v1/{owner}/authorizedparties"
    for owner in ("resourceowner", "serviceowner")
]
SUBJECT_TYPES = {
    ORGANIZATION,
    ORGANIZATION_UUID,
    PARTY_ID,
    PARTY_UUID,
    PERSON,
    PERSON_UUID,
    SYSTEM_USER,
    USER_ID,
    "urn:altinn:enterpriseuser:username",
    "urn:altinn:enterpriseuser:uuid",
    "urn:altinn:person:idporten-email",
}


class PartyName(Struct, frozen=True):
    type: str
    value: str


class Body(Struct, frozen=True, rename="camel"):
    type: str
    value: str
    party_filter: list[PartyName] | None = None


@post(PATHS, status_code=200)
async def list_authorized_parties(
    request: AltinnRequest, altinn: NamedDependency[Altinn]
) -> list[dict[str, Any]]:
    demand_subscription(request, altinn)
    caller = demand(request, altinn, SCOPE, ADMIN_SCOPE)
    body = _read(await request.body())
    subject = altinn.parties.named(body.type, body.value)
    never_there = special_fault(request.scope) == "neverLoggedIn"
    wanted = _wanted(request, altinn, caller, body)
    if subject is None or (subject.person and (never_there or _is_new(altinn, subject))):
        return []
    return authorized_parties(altinn, subject, wanted)


def _read(content: bytes) -> Body:
    try:
        body = msgspec.json.decode(content, type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(FieldProblem("STD.VLD-00001", str(error), "/")) from error
    if body.type not in SUBJECT_TYPES:
        raise invalid(FieldProblem("AM.VLD-00001", "The type of party is not known", "/type"))
    return body


def _is_new(altinn: Altinn, subject: Party) -> bool:
    return subject.person in [altinn.people.named(name) for name in altinn.settings.never_logged_in]


def _wanted(request: AltinnRequest, altinn: Altinn, caller: Caller, body: Body) -> Wanted:
    org_code = request.query_params.get("orgCode")
    if org_code not in (None, OWNER):
        title = "The organization code is not the caller's own"
        raise invalid(FieldProblem("AM.VLD-00002", title, "$QUERY/orgCode"))
    only_own = org_code is not None or ADMIN_SCOPE not in caller.scopes
    owners = {OWNER} if only_own else {resource.owner for resource in RESOURCES.values()}
    any_of = request.query_params.getall("anyOfResourceIds", [])
    return Wanted(
        owners=frozenset(owners),
        any_of=frozenset(any_of) if any_of else None,
        parties=_filter(altinn, body),
        roles=_flag(request, "includeRoles", default=True),
        packages=_flag(request, "includeAccessPackages", default=False),
        resources=_flag(request, "includeResources", default=True),
        sub_parties=_flag(request, "includeSubParties", default=True),
        inactive=_flag(request, "includeInactiveParties", default=True),
    )


def _filter(altinn: Altinn, body: Body) -> list[Party] | None:
    """What matches nobody is passed over without a word."""
    if not body.party_filter:
        return None
    found = [altinn.parties.named(one.type, one.value) for one in body.party_filter]
    return [party for party in found if party is not None]


def _flag(request: AltinnRequest, name: str, *, default: bool) -> bool:
    text = request.query_params.get(name, "").lower()
    return default if text in ("", "auto") else text == "true"
