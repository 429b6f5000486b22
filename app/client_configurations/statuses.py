"""What a client is told of each scope and claim: whether it can be used, and if not, why."""

from typing import Any

import msgspec
from asyncpg import Record

from app.apis.catalogue import Api, Catalogue, Texts
from app.approvals.reasons import reason
from app.approvals.rules import (
    REFUSED,
    AccessState,
    ClaimState,
    ReasonCode,
    Status,
    claim_status,
    scope_status,
)
from app.client_configurations.wire import ClaimStatus, ScopeStatus
from app.delegations.scopes import Holder, RightSeen, in_the_way


def entries_of(text: str | None) -> list[list[Any]]:
    return msgspec.json.decode(text, type=list[list[Any]]) if text else []


def rights_in_the_way(
    row: Record, catalogue: Catalogue, seen: list[RightSeen]
) -> dict[str, tuple[ReasonCode, Texts]]:
    """By scope, of those that need a right in Altinn which is not there."""
    system = catalogue.systems.get(row["client_system_id"])
    if system is None:
        return {}
    holder = Holder(row["tenancy"], row["organization_number"], row["organization_name"])
    found = {
        scope: in_the_way(right, holder, system, catalogue, seen)
        for scope, right in system.right_of_scope.items()
    }
    return {scope: way for scope, way in found.items() if way is not None}


def scope_answer(
    catalogue: Catalogue,
    language: str,
    missing_right: tuple[ReasonCode, Texts] | None,
    scope: str,
    api: str,
    own: str,
    words: str | None,
) -> ScopeStatus:
    status, code = scope_status(AccessState(api), AccessState(own))
    # What an owner has refused no right can mend; on all else, somebody has to act first.
    if missing_right is not None and code not in REFUSED:
        return ScopeStatus(
            scope, Status.PENDING, getattr(missing_right[1], language), missing_right[0]
        )
    known = catalogue.api_scopes.get(scope)
    what = getattr(known.title, language) if known else scope
    text = _reason(code, what, catalogue.api_of_scope.get(scope), words, language)
    return ScopeStatus(scope, status, text, code)


def claim_answer(
    catalogue: Catalogue,
    language: str,
    claim_type: str,
    active: str | None,
    pending: str | None,
    refused: bool,
    words: str | None,
) -> ClaimStatus:
    status, code = claim_status(ClaimState(active, pending, refused))
    text = _reason(code, claim_type, catalogue.api_of_claim.get(claim_type), words, language)
    return ClaimStatus(claim_type, active, pending, status, text, code)


def _reason(
    code: ReasonCode | None, what: str, api: Api | None, words: str | None, language: str
) -> str | None:
    """None for what is fine. An API that has left the catalogue is still named by its scope."""
    if code is None:
        return None
    if api is None:
        api = Api(audience=what, name=what, owner=what, scopes=[])
    text: str = getattr(reason(code, what=what, api=api, words=words), language)
    return text
