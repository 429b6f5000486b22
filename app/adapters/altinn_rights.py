"""The two ways in which Altinn is asked who has a right, whoever that is.

What cannot be relied on is `NoAnswer`: one decision too many or too few, and `Indeterminate`.
"""

from typing import Any

from msgspec import Struct

from app.adapters.altinn_calls import TRIES, AltinnCalls, Call, Heard
from app.adapters.http import NoAnswer
from app.delegations.answers import Source

ORGANIZATION = "urn:altinn:organization:identifier-no"
PERSON = "urn:altinn:person:identifier-no"
RESOURCE = "urn:altinn:resource"
ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"
STRING = "http://www.w3.org/2001/XMLSchema#string"

PARTIES_PATH = "/accessmanagement/api/v1/resourceowner/authorizedparties"
PDP_PATH = "/authorization/api/v1/authorize"

# Only the resource asked for, and only where it was given: the rest would be rights of others.
PARTIES_QUERY = {
    "includeRoles": "false",
    "includeAccessPackages": "false",
    "includeResources": "true",
    "includeInstances": "false",
    "includeSubParties": "false",
    "includeInactiveParties": "false",
}
PERMIT = "Permit"
DECISIONS = (PERMIT, "Deny", "NotApplicable")


class AltinnScopes(Struct, frozen=True, kw_only=True):
    """What our tokens are for, call by call: which of them one is given is agreed with Altinn."""

    maskinporten: str
    parties: str
    pdp: str
    requests: str


class Asked(Struct, frozen=True, kw_only=True):
    """Whether somebody has a right, and from whom."""

    receiver_is: str
    """`ORGANIZATION` or `PERSON`."""
    receiver: str
    giver: str | None
    """None: from anybody."""
    resource_id: str
    urgent: bool
    tries: int = TRIES


class _Assignment(Struct):
    category: str = ""
    value: str = ""


class _Obligation(Struct, rename="camel"):
    attribute_assignment: list[_Assignment] = []


class Decision(Struct, rename="pascal"):
    decision: str
    obligations: list[_Obligation] | None = None

    @property
    def is_yes(self) -> bool:
        return self.decision == PERMIT


class _Decisions(Struct, rename="pascal"):
    response: list[Decision]


class Party(Struct, rename="camel"):
    name: str = ""
    organization_number: str | None = None
    is_deleted: bool = False
    only_hierarchy_element_with_no_access: bool = False
    authorized_resources: list[str] = []

    def gives(self, resource_id: str) -> bool:
        """A heading above somebody else's entry is no access."""
        heading = self.only_hierarchy_element_with_no_access
        return not heading and resource_id in self.authorized_resources


async def decision_on(
    calls: AltinnCalls, scopes: AltinnScopes, asked: Asked, *, action: str
) -> tuple[Decision, Heard]:
    call = Call(
        product=Source.PDP,
        scope=scopes.pdp,
        method="POST",
        path=PDP_PATH,
        body=_xacml(asked, action),
        tries=asked.tries,
    )
    heard = await calls.ask(call, urgent=asked.urgent)
    decisions = heard.good().decoded(_Decisions).response
    if len(decisions) != 1:
        raise NoAnswer(f"{len(decisions)} decisions on one question")
    if decisions[0].decision not in DECISIONS:
        raise NoAnswer(f"the decision {decisions[0].decision[:40]!r}")
    return decisions[0], heard


async def parties_of(
    calls: AltinnCalls, scopes: AltinnScopes, asked: Asked, *, via_key_roles: bool
) -> tuple[list[Party], Heard]:
    query = PARTIES_QUERY | {
        "includePartiesViaKeyRoles": "true" if via_key_roles else "false",
        "anyOfResourceIds": asked.resource_id,
    }
    body: dict[str, Any] = {"type": asked.receiver_is, "value": asked.receiver}
    if asked.giver is not None:
        body["partyFilter"] = [{"type": ORGANIZATION, "value": asked.giver}]
    call = Call(
        product=Source.AUTHORIZED_PARTIES,
        scope=scopes.parties,
        method="POST",
        path=PARTIES_PATH,
        query=query,
        body=body,
        tries=asked.tries,
    )
    heard = await calls.ask(call, urgent=asked.urgent)
    return heard.good().decoded(list[Party]), heard


def _xacml(asked: Asked, action: str) -> dict[str, Any]:
    """One question needs no list of what belongs together: each category has one entry."""
    resource = [
        {"AttributeId": RESOURCE, "Value": asked.resource_id, "IncludeInResult": True},
        {"AttributeId": ORGANIZATION, "Value": asked.giver},
    ]
    subject = {"AttributeId": asked.receiver_is, "Value": asked.receiver}
    act = {"AttributeId": ACTION, "Value": action, "DataType": STRING}
    return {
        "Request": {
            "ReturnPolicyIdList": False,
            "AccessSubject": [{"Attribute": [subject]}],
            "Action": [{"Attribute": [act]}],
            "Resource": [{"Attribute": resource}],
        }
    }
