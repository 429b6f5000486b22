"""What follows on an answer: which later operations take something that it holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct


class Follows(Struct, frozen=True):
    """Operations that take `found`, an expression of OpenAPI's, as their `parameter`."""

    parameter: str
    found: str
    operations: Mapping[str, str]
    """What each is for, by its name."""


# By the operation and the status of its answer.
LINKS: Mapping[tuple[str, int], Sequence[Follows]] = {
    ("createClientDraft", 201): [
        Follows(
            "client_id",
            "$response.body#/draftId",
            {
                "getOnboarding": "What is missing, and who must act.",
                "lengthenConfirmLink": "A draft that nobody has decided gets more time.",
                "activateClient": "The code that came with the browser, where it is asked for.",
            },
        )
    ],
    ("addClientSecret", 200): [
        Follows(
            "thumbprint",
            "$response.body#/jwkThumbprint",
            {
                "checkClientSecret": "Whether the token issuer takes the key yet.",
                "retireClientSecret": "The key goes out of use.",
            },
        )
    ],
    ("getDelegations", 200): [
        Follows(
            "delegation_id",
            "$response.body#/items/0/id",
            {
                "getDelegation": "The first of them alone.",
                "checkDelegation": "Altinn is asked about it at once.",
                "requestDelegation": "Altinn is told that the right is asked for.",
            },
        )
    ],
}


def links_of(operation: str, status: int) -> dict[str, Any]:
    """The member `links` of an answer, where there are any."""
    links = {
        name: {
            "operationId": name,
            "parameters": {follows.parameter: follows.found},
            "description": what_for,
        }
        for follows in LINKS.get((operation, status), ())
        for name, what_for in follows.operations.items()
    }
    return {"links": links} if links else {}
