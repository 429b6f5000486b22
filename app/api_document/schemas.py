"""The bodies' schemas, as msgspec derives them from the Structs that read and write them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.apis.wire import PublishedApis
from app.client_configurations.wire import ClientStatusAnswer, ClientUpdate, CurrentClient
from app.client_drafts.wire import (
    ClientActivated,
    ClientActivation,
    ClientDraftCreated,
    KeyReplacement,
    NewClientDraft,
)
from app.client_keys.wire import ClientSecret, ClientSecretCreated, KeyCheck, KeyChecked
from app.delegations.wire import (
    DelegationAnswer,
    DelegationRequestAnswer,
    Delegations,
    MultiTenantDelegation,
)
from app.onboardings.wire import ConfirmLink, Onboarding
from app.web.problem_details import ProblemDetails

REFERENCE = "#/components/schemas/{name}"


class PublicJwk(Struct):
    """What `app.access.public_jwk` reads member by member."""

    kty: str
    n: str | UnsetType = UNSET
    e: str | UnsetType = UNSET
    crv: str | UnsetType = UNSET
    x: str | UnsetType = UNSET
    y: str | UnsetType = UNSET
    alg: str | UnsetType = UNSET
    use: str | UnsetType = UNSET
    kid: str | UnsetType = UNSET


# By the name of the example; a list has none of its own among the schemas.
BODIES: Mapping[str, Any] = {
    "PublishedApis": PublishedApis,
    "NewClientDraft": NewClientDraft,
    "ClientDraftCreated": ClientDraftCreated,
    "ClientActivation": ClientActivation,
    "ClientActivated": ClientActivated,
    "KeyReplacement": KeyReplacement,
    "CurrentClient": CurrentClient,
    "ClientUpdate": ClientUpdate,
    "ClientStatusAnswer": ClientStatusAnswer,
    "PublicJwk": PublicJwk,
    "ClientSecretCreated": ClientSecretCreated,
    "ClientSecrets": list[ClientSecret],
    "KeyCheck": KeyCheck,
    "KeyChecked": KeyChecked,
    "Delegations": Delegations,
    "DelegationAnswer": DelegationAnswer,
    "DelegationRequestAnswer": DelegationRequestAnswer,
    "Onboarding": Onboarding,
    "ConfirmLink": ConfirmLink,
    "MultiTenantDelegations": list[MultiTenantDelegation],
    "ProblemDetails": ProblemDetails,
}


def body_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of each of `BODIES`, and the components that they refer to."""
    schemas, components = msgspec.json.schema_components(
        list(BODIES.values()), ref_template=REFERENCE
    )
    return dict(zip(BODIES, schemas, strict=True)), components
