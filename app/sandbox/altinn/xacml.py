"""The grammar of a decision request: XACML 3.0 in JSON, as far as Altinn reads it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

STATUS = "urn:oasis:names:tc:xacml:1.0:status"
CATEGORIES = {
    "resource": "urn:oasis:names:tc:xacml:3.0:attribute-category:resource",
    "action": "urn:oasis:names:tc:xacml:3.0:attribute-category:action",
    "subject": "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject",
}
ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"


class Attribute(Struct, frozen=True, rename="pascal"):
    attribute_id: str
    value: str
    include_in_result: bool = False


class Category(Struct, frozen=True, rename="pascal"):
    attribute: list[Attribute]
    id: str | None = None


class Reference(Struct, frozen=True, rename="pascal"):
    reference_id: list[str]


class MultiRequests(Struct, frozen=True, rename="pascal"):
    request_reference: list[Reference]


class DecisionRequest(Struct, frozen=True, rename="pascal"):
    access_subject: list[Category]
    action: list[Category]
    resource: list[Category]
    multi_requests: MultiRequests | None = None


class Envelope(Struct, frozen=True, rename="pascal"):
    request: DecisionRequest


class Check(Struct, frozen=True):
    """One question: may this subject do this with this."""

    subject: Sequence[Attribute]
    action: Sequence[Attribute]
    resource: Sequence[Attribute]

    def echo(self) -> list[dict[str, Any]]:
        """What the caller marked to find again in the answer."""
        parts = {"resource": self.resource, "action": self.action, "subject": self.subject}
        return [
            {"CategoryId": CATEGORIES[part], "Attribute": marked}
            for part, attributes in parts.items()
            if (marked := _marked(attributes))
        ]


class SyntaxProblem(Exception):
    """The request is not of this grammar."""


def read_checks(body: bytes) -> list[Check]:
    """In the order of the references; references count only when there are two or more."""
    try:
        request = msgspec.json.decode(body, type=Envelope).request
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SyntaxProblem(str(error)) from error
    multi = request.multi_requests
    if multi is None or len(multi.request_reference) < 2:
        return [_check(request, None)]
    return [_check(request, reference) for reference in multi.request_reference]


def _check(request: DecisionRequest, reference: Reference | None) -> Check:
    parts = (request.access_subject, request.action, request.resource)
    subject, action, resource = (_chosen(part, reference) for part in parts)
    return Check(subject, action, resource)


def _chosen(categories: list[Category], reference: Reference | None) -> list[Attribute]:
    return [
        attribute
        for category in categories
        if reference is None or category.id in reference.reference_id
        for attribute in category.attribute
    ]


def _marked(attributes: Sequence[Attribute]) -> list[dict[str, str]]:
    return [
        {"AttributeId": one.attribute_id, "Value": one.value}
        for one in attributes
        if one.include_in_result
    ]
