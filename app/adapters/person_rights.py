"""What persons may do for organizations, as Altinn knows it.

The decision point's yes is a yes. Its no may hide a failure inside Altinn, so it counts only
when the list of authorized parties says no as well; when they differ, nothing is known.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from app.access.person_numbers import PersonNumber
from app.access.person_rights import (
    Held,
    NoReliableAnswer,
    PersonQuestion,
    RepresentedOrganization,
)
from app.adapters.altinn import ACTION, ORGANIZATION, PARTIES_PATH, PDP_PATH, RESOURCE, AltinnScopes
from app.adapters.altinn_calls import AltinnCalls, Call
from app.adapters.http import NoAnswer
from app.delegations.altinn import AltinnUnavailable
from app.delegations.answers import Source

# A person waits for both questions together; what cannot be answered is asked again later.
WITHIN = 3.0
TRIES = 2
PERSON = "urn:altinn:person:identifier-no"
STRING = "http://www.w3.org/2001/XMLSchema#string"
LEAST_LEVEL = "urn:altinn:minimum-authenticationlevel"
NO = ("Deny", "NotApplicable")
_LEVEL = re.compile(r"[0-9]{1,2}")

# What a person has by way of an organization that he leads counts too.
PARTIES_QUERY = {
    "includeRoles": "false",
    "includeAccessPackages": "false",
    "includeResources": "true",
    "includeInstances": "false",
    "includePartiesViaKeyRoles": "true",
    "includeSubParties": "false",
    "includeInactiveParties": "false",
}


class _Assignment(Struct):
    category: str = ""
    value: str = ""


class _Obligation(Struct, rename="camel"):
    attribute_assignment: list[_Assignment] = []


class _Decision(Struct, rename="pascal"):
    decision: str
    obligations: list[_Obligation] | None = None


class _Decisions(Struct, rename="pascal"):
    response: list[_Decision]


class _Party(Struct, rename="camel"):
    name: str = ""
    organization_number: str | None = None
    is_deleted: bool = False
    only_hierarchy_element_with_no_access: bool = False
    authorized_resources: list[str] = []


class AltinnPersonRights:
    """Altinn, as `app.access.person_rights` asks it."""

    def __init__(self, calls: AltinnCalls, scopes: AltinnScopes) -> None:
        self._calls = calls
        self._scopes = scopes

    async def held(self, question: PersonQuestion) -> Held:
        try:
            async with asyncio.timeout(WITHIN):
                decision = await self._decision(question)
                if decision.decision == "Permit":
                    enough = _least_level(decision) <= question.security_level
                    return Held.YES if enough else Held.WEAK_LOGIN
                if await self._is_listed(question):
                    raise NoReliableAnswer("a no that the authorized parties contradict")
        except TimeoutError:
            raise NoReliableAnswer(f"no answer within {WITHIN} s") from None
        except (AltinnUnavailable, NoAnswer) as error:
            raise NoReliableAnswer(str(error)) from error
        return Held.NO

    async def organizations(
        self, person: PersonNumber, resource_id: str
    ) -> list[RepresentedOrganization]:
        try:
            async with asyncio.timeout(WITHIN):
                parties = await self._parties(person, resource_id)
        except TimeoutError:
            raise NoReliableAnswer(f"no answer within {WITHIN} s") from None
        except (AltinnUnavailable, NoAnswer) as error:
            raise NoReliableAnswer(str(error)) from error
        return list(_represented(parties, resource_id))

    async def _decision(self, question: PersonQuestion) -> _Decision:
        call = Call(
            product=Source.PDP,
            scope=self._scopes.pdp,
            method="POST",
            path=PDP_PATH,
            body=_xacml(question),
            tries=TRIES,
        )
        answer = (await self._calls.ask(call, urgent=question.urgent)).answer
        if answer.status != 200:
            raise NoAnswer(f"the decision point answered {answer.status}")
        decisions = answer.decoded(_Decisions).response
        if len(decisions) != 1:
            raise NoAnswer(f"{len(decisions)} decisions on one question")
        if decisions[0].decision not in ("Permit", *NO):
            raise NoAnswer(f"the decision {decisions[0].decision[:40]!r}")
        return decisions[0]

    async def _is_listed(self, question: PersonQuestion) -> bool:
        parties = await self._parties(
            question.person,
            question.resource_id,
            question.organization_number,
            urgent=question.urgent,
        )
        found = _represented(parties, question.resource_id)
        return any(one.number == question.organization_number for one in found)

    async def _parties(
        self,
        person: PersonNumber,
        resource_id: str,
        number: str | None = None,
        *,
        urgent: bool = True,
    ) -> list[_Party]:
        body: dict[str, Any] = {"type": PERSON, "value": person.digits}
        if number is not None:
            body["partyFilter"] = [{"type": ORGANIZATION, "value": number}]
        call = Call(
            product=Source.AUTHORIZED_PARTIES,
            scope=self._scopes.parties,
            method="POST",
            path=PARTIES_PATH,
            query={**PARTIES_QUERY, "anyOfResourceIds": resource_id},
            body=body,
            tries=TRIES,
        )
        answer = (await self._calls.ask(call, urgent=urgent)).answer
        if answer.status != 200:
            raise NoAnswer(f"the authorized parties were answered with {answer.status}")
        return answer.decoded(list[_Party])


def _represented(parties: list[_Party], resource_id: str) -> Iterator[RepresentedOrganization]:
    """A heading above somebody else's entry is no access."""
    for party in parties:
        is_access = not party.only_hierarchy_element_with_no_access and not party.is_deleted
        if party.organization_number and is_access and resource_id in party.authorized_resources:
            yield RepresentedOrganization(party.organization_number, party.name)


def _least_level(decision: _Decision) -> int:
    """Known by its category: the attribute's id is only a running number."""
    assignments = [
        assignment
        for obligation in decision.obligations or []
        for assignment in obligation.attribute_assignment
        if assignment.category == LEAST_LEVEL
    ]
    if not all(_LEVEL.fullmatch(one.value) for one in assignments):
        raise NoAnswer("a level of authentication that is no number")
    return max((int(one.value) for one in assignments), default=0)


def _xacml(question: PersonQuestion) -> dict[str, Any]:
    """One question needs no list of what belongs together: each category has one entry."""
    subject = {"AttributeId": PERSON, "Value": question.person.digits}
    action = {"AttributeId": ACTION, "Value": question.action, "DataType": STRING}
    resource = [
        {"AttributeId": RESOURCE, "Value": question.resource_id, "IncludeInResult": True},
        {"AttributeId": ORGANIZATION, "Value": question.organization_number},
    ]
    return {
        "Request": {
            "ReturnPolicyIdList": False,
            "AccessSubject": [{"Attribute": [subject]}],
            "Action": [{"Attribute": [action]}],
            "Resource": [{"Attribute": resource}],
        }
    }
