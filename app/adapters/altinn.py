"""Altinn over HTTP: what one organization has given another, and asking for it.

What cannot be relied on changes nothing: it comes out as `AltinnUnavailable`. That holds for an
answer about others, for one answer too many or too few, and for `Indeterminate`.
"""

from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from app.adapters.altinn_calls import AltinnCalls, Call, Heard
from app.adapters.http import Answer as HttpAnswer
from app.adapters.http import NoAnswer
from app.apis.catalogue import Right
from app.delegations.altinn import AltinnUnavailable, MadeRequest, Question, RequestsOff
from app.delegations.answers import Answer, Found, RequestStatus, Source

ORGANIZATION = "urn:altinn:organization:identifier-no"
RESOURCE = "urn:altinn:resource"
ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"

MASKINPORTEN_PATH = "/accessmanagement/api/v1/maskinporten/delegations/"
PARTIES_PATH = "/accessmanagement/api/v1/resourceowner/authorizedparties"
PDP_PATH = "/authorization/api/v1/authorize"
REQUESTS_PATH = "/accessmanagement/api/v1/serviceowner/delegationrequests"

# Only what was given directly, and only there: the rest would be rights of somebody else.
PARTIES_QUERY = {
    "includeRoles": "false",
    "includeAccessPackages": "false",
    "includeResources": "true",
    "includeInstances": "false",
    "includePartiesViaKeyRoles": "false",
    "includeSubParties": "false",
    "includeInactiveParties": "false",
}
NOT_DELEGABLE = "AM.VLD-00049"
STATUS_CHANGE_NOT_POSSIBLE = "AM.VLD-00036"
REQUEST_UNKNOWN = ("AM.VLD-00035", "AM-00031")


class AltinnScopes(Struct, frozen=True, kw_only=True):
    """What our tokens are for, call by call: which of them one is given is agreed with Altinn."""

    maskinporten: str
    parties: str
    pdp: str
    requests: str


class _Row(Struct):
    consumer_org: str
    supplier_org: str
    scopes: list[str]


class _Errors(Struct):
    """Both forms of Altinn's problems."""

    errors: dict[str, list[str]] = {}
    code: str = ""
    validation_errors: list["_FieldProblem"] = field(default_factory=list, name="validationErrors")

    @property
    def codes(self) -> set[str]:
        return {self.code, *(problem.code for problem in self.validation_errors)}


class _FieldProblem(Struct):
    code: str = ""


class _Party(Struct, rename="camel"):
    organization_number: str | None = None
    only_hierarchy_element_with_no_access: bool = False
    authorized_resources: list[str] = []


class _Decision(Struct, rename="pascal"):
    decision: str


class _Decisions(Struct, rename="pascal"):
    response: list[_Decision]


class _Links(Struct, rename="camel", frozen=True):
    details_link: str = ""


class _Created(Struct):
    id: str
    status: RequestStatus
    links: _Links = _Links()


class HttpAltinn:
    """Altinn, as `app.delegations.altinn` asks it."""

    def __init__(self, calls: AltinnCalls, scopes: AltinnScopes, *, pages_url: str) -> None:
        self._calls = calls
        self._scopes = scopes
        self._pages_url = pages_url

    async def look_up(self, question: Question, source: Source) -> Answer:
        ways = {
            Source.MASKINPORTEN: self._by_maskinporten,
            Source.PDP: self._by_pdp,
            Source.AUTHORIZED_PARTIES: self._by_parties,
        }
        try:
            return await ways[source](question)
        except NoAnswer as error:
            raise AltinnUnavailable(f"{source}: {error}") from error

    async def _by_maskinporten(self, question: Question) -> Answer:
        scope = question.right.maskinporten_scope
        if scope is None:
            raise AltinnUnavailable(f"the right {question.right.name} has no Maskinporten scope")
        call = Call(
            product=Source.MASKINPORTEN,
            scope=self._scopes.maskinporten,
            method="GET",
            path=MASKINPORTEN_PATH,
            query={
                "supplierOrg": question.receiver,
                "consumerOrg": question.giver,
                "scope": scope,
            },
        )
        heard = await self._calls.ask(call, urgent=question.urgent)
        if heard.answer.status == 400 and set(_errors(heard.answer).errors) == {"consumerOrg"}:
            return _answer(heard, Source.MASKINPORTEN, Found.NO_SUCH_PARTY, "consumerOrg refused")
        rows = _good(heard).decoded(list[_Row])
        asked = (question.giver, question.receiver)
        if any((row.consumer_org, row.supplier_org) != asked for row in rows):
            raise AltinnUnavailable("an answer about other organizations")
        given = any(scope in row.scopes for row in rows)
        return _answer(heard, Source.MASKINPORTEN, _found(given), f"{len(rows)} delegations")

    async def _by_pdp(self, question: Question) -> Answer:
        call = Call(
            product=Source.PDP,
            scope=self._scopes.pdp,
            method="POST",
            path=PDP_PATH,
            body=_xacml(question),
        )
        heard = await self._calls.ask(call, urgent=question.urgent)
        decisions = _good(heard).decoded(_Decisions).response
        if len(decisions) != 1:
            raise AltinnUnavailable(f"{len(decisions)} decisions on one question")
        decision = decisions[0].decision
        if decision not in ("Permit", "Deny", "NotApplicable"):
            raise AltinnUnavailable(f"the decision {decision[:40]!r}")
        return _answer(heard, Source.PDP, _found(decision == "Permit"), decision)

    async def _by_parties(self, question: Question) -> Answer:
        call = Call(
            product=Source.AUTHORIZED_PARTIES,
            scope=self._scopes.parties,
            method="POST",
            path=PARTIES_PATH,
            query={**PARTIES_QUERY, "anyOfResourceIds": question.right.resource_id},
            body={
                "type": ORGANIZATION,
                "value": question.receiver,
                "partyFilter": [{"type": ORGANIZATION, "value": question.giver}],
            },
        )
        heard = await self._calls.ask(call, urgent=question.urgent)
        parties = _good(heard).decoded(list[_Party])
        given = any(_has_given(party, question) for party in parties)
        return _answer(heard, Source.AUTHORIZED_PARTIES, _found(given), f"{len(parties)} parties")

    async def make_request(self, question: Question) -> MadeRequest:
        call = Call(
            product="delegationRequests",
            scope=self._scopes.requests,
            method="POST",
            path=f"{REQUESTS_PATH}/resource",
            # Here, and only here, `from` is who wants the right and `to` who has to give it.
            body={
                "from": f"{ORGANIZATION}:{question.receiver}",
                "to": f"{ORGANIZATION}:{question.giver}",
                "resource": question.right.resource_id,
                "rightKeys": None,
            },
            tries=1,
        )
        try:
            heard = await self._calls.ask(call, urgent=question.urgent)
            if _is_off(heard.answer):
                raise RequestsOff
            created = _good(heard, 200, 201, 202).decoded(_Created)
        except NoAnswer as error:
            raise AltinnUnavailable(f"a delegation request: {error}") from error
        if not 0 < len(created.id) <= 100 or not created.id.isprintable():
            raise AltinnUnavailable("a delegation request without an id")
        return MadeRequest(created.id, created.status, self._safe_link(created.links.details_link))

    def _safe_link(self, link: str) -> str:
        """People are sent to Altinn's own pages only."""
        own, theirs = urlsplit(self._pages_url), urlsplit(link)
        same = (theirs.scheme, theirs.netloc) == (own.scheme, own.netloc)
        return link if same and link.isprintable() and len(link) <= 1000 else self._pages_url

    async def request_status(self, request_id: str, *, urgent: bool) -> RequestStatus:
        call = self._about_request("GET", request_id, "status")
        try:
            heard = await self._calls.ask(call, urgent=urgent)
            return _good(heard).decoded(RequestStatus)
        except NoAnswer as error:
            raise AltinnUnavailable(f"a request's status: {error}") from error

    async def withdraw_request(self, request_id: str) -> None:
        call = self._about_request("PUT", request_id, "withdraw")
        heard = await self._calls.ask(call, urgent=False)
        status = heard.answer.status
        # 404: no requests at all, or not this one. Nothing is left to be withdrawn.
        if status in (200, 202, 204, 404):
            return
        decided = {STATUS_CHANGE_NOT_POSSIBLE, *REQUEST_UNKNOWN}
        if status != 400 or not _errors(heard.answer).codes & decided:
            raise AltinnUnavailable(f"a withdrawal was answered with {status}")

    def _about_request(self, method: str, request_id: str, what: str) -> Call:
        return Call(
            product="delegationRequests",
            scope=self._scopes.requests,
            method=method,
            path=f"{REQUESTS_PATH}/{quote(request_id, safe='')}/{what}",
        )


def _xacml(question: Question) -> dict[str, Any]:
    """One question needs no list of what belongs together: each category has one entry."""
    right: Right = question.right
    string = "http://www.w3.org/2001/XMLSchema#string"
    return {
        "Request": {
            "ReturnPolicyIdList": False,
            "AccessSubject": [
                {"Attribute": [{"AttributeId": ORGANIZATION, "Value": question.receiver}]}
            ],
            "Action": [
                {"Attribute": [{"AttributeId": ACTION, "Value": right.action, "DataType": string}]}
            ],
            "Resource": [
                {
                    "Attribute": [
                        {
                            "AttributeId": RESOURCE,
                            "Value": right.resource_id,
                            "IncludeInResult": True,
                        },
                        {"AttributeId": ORGANIZATION, "Value": question.giver},
                    ]
                }
            ],
        }
    }


def _has_given(party: _Party, question: Question) -> bool:
    """A heading above somebody else's entry is no access."""
    return (
        party.organization_number == question.giver
        and not party.only_hierarchy_element_with_no_access
        and question.right.resource_id in party.authorized_resources
    )


def _good(heard: Heard, *statuses: int) -> HttpAnswer:
    if heard.answer.status not in (statuses or (200,)):
        raise NoAnswer(f"status {heard.answer.status}")
    return heard.answer


def _errors(answer: HttpAnswer) -> _Errors:
    try:
        return answer.decoded(_Errors)
    except NoAnswer:
        return _Errors()


def _is_off(answer: HttpAnswer) -> bool:
    return answer.status == 404 or (answer.status == 400 and NOT_DELEGABLE in _errors(answer).codes)


def _found(given: bool) -> Found:
    return Found.GIVEN if given else Found.NOT_GIVEN


def _answer(heard: Heard, source: Source, found: Found, decision: str) -> Answer:
    return Answer(found=found, source=source, decision=decision, request_ref=heard.reference)
