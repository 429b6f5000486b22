"""What is gone from the document and would be missed in a program made of an earlier one."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from app.api_document import api_document
from tests.clients.breaking import lost_names


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return api_document()


def rename_operation(document: Any) -> None:
    document["paths"]["/v1/client"]["get"]["operationId"] = "readClient"


def move_to_another_class(document: Any) -> None:
    document["paths"]["/v1/client"]["get"]["tags"] = ["ClientDrafts"]


def remove_optional_member(document: Any) -> None:
    del document["components"]["schemas"]["NewClientDraft"]["properties"]["pairing"]


def rename_parameter(document: Any) -> None:
    document["components"]["parameters"]["ifMatch"]["name"] = "If-Unmodified"


def remove_operation(document: Any) -> None:
    del document["paths"]["/v1/client-status"]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (rename_operation, "getClient: GET /v1/client"),
        (move_to_another_class, "getClient in Client"),
        (remove_optional_member, "NewClientDraft.pairing"),
        (rename_parameter, "updateClient takes If-Match in header"),
        (remove_operation, "getClientStatus: GET /v1/client-status"),
    ],
)
def test_a_lost_name_is_seen(
    document: dict[str, Any], change: Callable[[Any], None], lost: str
) -> None:
    changed = deepcopy(document)
    change(changed)
    assert lost in lost_names(document, changed)


def test_additions_lose_nothing(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    changed["paths"]["/v1/more"] = {"get": changed["paths"]["/v1/client"]["get"]}
    changed["components"]["schemas"]["NewClientDraft"]["properties"]["more"] = {"type": "string"}
    assert lost_names(document, changed) == set()
