"""The bodies of the client draft API, in the names that HelseID Selvbetjening uses."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.apis.catalogue import Activation
from app.client_drafts.rules import ActivationStatus

Scope = Annotated[
    str, Meta(pattern=r"^[^\s/]+/\S+$", max_length=200, examples=["nhn:selvbetjening/client"])
]
Uri = Annotated[str, Meta(min_length=1, max_length=2000)]
OrganizationNumber = Annotated[str, Meta(pattern=r"^[0-9]{9}$", examples=["310000019"])]


class ClientClaim(Struct, rename="camel", frozen=True):
    """A value for an API-specific claim: it ends up in access tokens for that API."""

    key: Annotated[str, Meta(min_length=1, max_length=200, description="The claim type.")]
    value: Annotated[str, Meta(min_length=1, max_length=1000)]


class NewClientDraft(Struct, rename="camel", kw_only=True, frozen=True):
    """What an installer asks for on behalf of one organization."""

    organization_number: Annotated[
        OrganizationNumber, Meta(description="The main unit that will own the client.")
    ]
    public_jwk: Annotated[
        Any,
        Meta(description="The client's public JWK: as JSON text in a string, or as an object."),
    ]
    api_scopes: Annotated[list[Scope], Meta(max_length=100)] | None = None
    audience_specific_client_claims: Annotated[list[ClientClaim], Meta(max_length=100)] | None = (
        None
    )
    redirect_uris: Annotated[list[Uri], Meta(max_length=50)] | None = None
    post_logout_redirect_uris: Annotated[list[Uri], Meta(max_length=50)] | None = None
    child_organization_numbers: Annotated[list[OrganizationNumber], Meta(max_length=500)] | None = (
        None
    )
    post_client_confirmation_redirect_uri: Uri | None = None
    external_ref: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    pairing: bool | None = None
    activation: Activation | None = None
    replaces_keys_of: UUID | None = None


class AskedFor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a draft comes to once it has been found acceptable, as it is stored."""

    api_scopes: list[str]
    claims: list[ClientClaim] = []
    redirect_uris: list[str] = []
    post_logout_redirect_uris: list[str] = []
    child_organization_numbers: list[str] = []
    post_client_confirmation_redirect_uri: str | None = None


class ClientDraftCreated(Struct, rename="camel", frozen=True, omit_defaults=True):
    """The draft is registered; the client can be used once a person has confirmed it."""

    client_id: UUID
    draft_id: UUID
    confirm_url: str
    share_url: str
    expires_at: datetime
    onboarding_url: str
    onboarding_token: str
    pairing_code: str
    activation_url: str | None = None
    external_ref: str | None = None
    warnings: list[str] = []


class ClientActivation(Struct, rename="camel", frozen=True, forbid_unknown_fields=True):
    """What a program sends once the person has confirmed and the browser came back to it."""

    activation: Annotated[str, Meta(min_length=1, max_length=8192)]


class ClientActivated(Struct, rename="camel", frozen=True):
    """The activation has been taken. A request that is sent again gets the same answer."""

    client_id: UUID
    status: ActivationStatus


class KeyReplacement(Struct, rename="camel", frozen=True):
    """A key that is to take over a client whose own are said to be lost."""

    jwk_thumbprint: str
    exchange_at: datetime
