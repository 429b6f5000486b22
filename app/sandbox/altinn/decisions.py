"""The policy decision point's answer to one check."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.parties import (
    OLD_ORGANIZATION,
    ORGANIZATION,
    PARTY_ID,
    PARTY_UUID,
    PERSON,
    PERSON_NUMBER,
    SYSTEM_USER,
    USER_ID,
    Party,
)
from app.sandbox.altinn.resources import RESOURCES, Resource
from app.sandbox.altinn.xacml import ACTION, STATUS, Attribute, Check

RESOURCE = "urn:altinn:resource"
PARTY_NAMES = (ORGANIZATION, OLD_ORGANIZATION, PERSON, PARTY_UUID, PARTY_ID)
SUBJECT_NAMES = (*PARTY_NAMES, USER_ID, SYSTEM_USER)
# What is not one of these cannot stand for anybody beside them.
ORGANIZATION_NAMES = {ORGANIZATION, OLD_ORGANIZATION}

OBLIGATION = {
    "id": "urn:altinn:obligation:authenticationLevel1",
    "attributeAssignment": [
        {
            "attributeId": "urn:altinn:obligation-assignment:1",
            "value": "3",
            "category": "urn:altinn:minimum-authenticationlevel",
            "dataType": "http://www.w3.org/2001/XMLSchema#integer",
        }
    ],
}


class Decision(StrEnum):
    PERMIT = "Permit"
    DENY = "Deny"
    NOT_APPLICABLE = "NotApplicable"
    INDETERMINATE = "Indeterminate"


class ProcessingProblem(Exception):
    """An argument of the request cannot be. The whole answer becomes one `Indeterminate`."""


def answer_to(altinn: Altinn, check: Check, *, lookup_fails: bool) -> dict[str, Any]:
    """`lookup_fails`: what was given is not found, and nothing says that this was a failure."""
    resource, owner = _resource(check.resource), _party(altinn, check.resource)
    subject = _subject(altinn, check.subject)
    action = next((one.value for one in check.action if one.attribute_id == ACTION), None)
    if action is None:
        raise ProcessingProblem("The action is missing.")
    permitted = (
        not lookup_fails
        and subject is not None
        and owner is not None
        and action in resource.actions
        and _holds(altinn, owner, subject, resource)
    )
    return _with_echo(_decided(altinn, permitted), check)


def indeterminate(code: str, message: str | None = None) -> dict[str, Any]:
    return _result(Decision.INDETERMINATE, code, message)


def _holds(altinn: Altinn, owner: Party, subject: Party, resource: Resource) -> bool:
    delegation = Delegation(owner.identifier, subject.identifier, resource.identifier)
    return altinn.holds("pdp", delegation)


def _decided(altinn: Altinn, permitted: bool) -> dict[str, Any]:
    if not permitted:
        return _result(Decision.NOT_APPLICABLE)
    if altinn.settings.access_list:
        message = "Access list authorization of resource party failed."
        return _result(Decision.DENY, message=message)
    return _result(Decision.PERMIT) | {"Obligations": [OBLIGATION]}


def _result(decision: Decision, code: str = "ok", message: str | None = None) -> dict[str, Any]:
    status = {"StatusMessage": message, "StatusCode": {"Value": f"{STATUS}:{code}"}}
    return {"Decision": decision.value, "Status": status}


def _with_echo(result: dict[str, Any], check: Check) -> dict[str, Any]:
    echo = check.echo()
    return result | {"Category": echo} if echo else result


def _resource(attributes: Sequence[Attribute]) -> Resource:
    identifier = next((one.value for one in attributes if one.attribute_id == RESOURCE), "")
    resource = RESOURCES.get(identifier)
    if resource is None:
        raise ProcessingProblem(f"Policy not found for resource {identifier}.")
    return resource


def _party(altinn: Altinn, attributes: Sequence[Attribute]) -> Party | None:
    named = [one for one in attributes if one.attribute_id in PARTY_NAMES]
    if not named:
        raise ProcessingProblem("The party of the resource is missing.")
    return altinn.parties.named(named[0].attribute_id, named[0].value)


def _subject(altinn: Altinn, attributes: Sequence[Attribute]) -> Party | None:
    named = [one for one in attributes if one.attribute_id in SUBJECT_NAMES]
    names = {one.attribute_id for one in named}
    if not named:
        raise ProcessingProblem("The subject is missing.")
    if (names & ORGANIZATION_NAMES and PERSON in names) or (
        SYSTEM_USER in names and len(named) > 1
    ):
        raise ProcessingProblem("The attributes of the subject conflict.")
    first = named[0]
    if first.attribute_id == PERSON and not PERSON_NUMBER.fullmatch(first.value):
        raise ProcessingProblem("The person's identity number is invalid.")
    return altinn.parties.named(first.attribute_id, first.value)
