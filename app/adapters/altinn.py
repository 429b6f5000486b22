"""Altinn over HTTP: what one organization has given another, and asking for it.

What cannot be relied on changes nothing: it comes out as `AltinnUnavailable`. That holds for an
answer about others, for one answer too many or too few, and for `Indeterminate`.
"""

from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from app.adapters.altinn_calls import AltinnCalls, Call, Heard
from app.adapters.altinn_rights import (
    ORGANIZATION,
    AltinnScopes,
    Asked,
    decision_on,
    parties_of,
)
from app.adapters.http import Answer as HttpAnswer
from app.adapters.http import NoAnswer
from app.delegations.altinn import AltinnUnavailable, MadeRequest, Question, RequestsOff
from app.delegations.answers import Answer, Found, RequestStatus, Source

MASKINPORTEN_PATH = "/accessmanagement/api/v1/maskinporten/delegations/"
REQUESTS_PATH = "/accessmanagement/api/v1/serviceowner/delegationrequests"

NOT_DELEGABLE = "AM.VLD-00049"
STATUS_CHANGE_NOT_POSSIBLE = "AM.VLD-00036"
REQUEST_UNKNOWN = ("AM.VLD-00035", "AM-00031")


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
        rows = heard.good().decoded(list[_Row])
        asked = (question.giver, question.receiver)
        if any((row.consumer_org, row.supplier_org) != asked for row in rows):
            raise AltinnUnavailable("an answer about other organizations")
        given = any(scope in row.scopes for row in rows)
        return _answer(heard, Source.MASKINPORTEN, _found(given), f"{len(rows)} delegations")

    async def _by_pdp(self, question: Question) -> Answer:
        action = question.right.action
        decision, heard = await decision_on(
            self._calls, self._scopes, _asked(question), action=action
        )
        return _answer(heard, Source.PDP, _found(decision.is_yes), decision.decision)

    async def _by_parties(self, question: Question) -> Answer:
        """Only what was given directly: the rest would be rights of somebody else."""
        parties, heard = await parties_of(
            self._calls, self._scopes, _asked(question), via_key_roles=False
        )
        given = any(
            party.organization_number == question.giver and party.gives(question.right.resource_id)
            for party in parties
        )
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
            created = heard.good(200, 201, 202).decoded(_Created)
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
            return heard.good().decoded(RequestStatus)
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


def _asked(question: Question) -> Asked:
    return Asked(
        receiver_is=ORGANIZATION,
        receiver=question.receiver,
        giver=question.giver,
        resource_id=question.right.resource_id,
        urgent=question.urgent,
    )


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
