"""The bodies of the client API, in the names that HelseID Selvbetjening uses."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.approvals.rules import ReasonCode, Status

Scope = Annotated[str, Meta(min_length=1, max_length=200)]
Uri = Annotated[str, Meta(min_length=1, max_length=2000)]
OrganizationNumber = Annotated[str, Meta(pattern=r"^[0-9]{9}$")]


class ScopeStatus(Struct, rename="camel", frozen=True):
    """A scope that the client has, or has asked for."""

    scope: str
    status: Status
    status_reason: str | None
    """For people, in the caller's language."""
    status_reason_code: ReasonCode | None


class ClaimStatus(Struct, rename="camel", frozen=True):
    """A client claim. `activeClaimValue` stands in tokens, `pendingClaimValue` waits."""

    claim_type: str
    active_claim_value: str | None
    pending_claim_value: str | None
    status: Status
    status_reason: str | None
    status_reason_code: ReasonCode | None


class CurrentClient(Struct, rename="camel", frozen=True):
    """What the client may do now, and what it waits for."""

    api_scopes: list[ScopeStatus]
    audience_specific_client_claims: list[ClaimStatus]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    child_organization_numbers: list[str]


class ClaimUpdate(Struct, rename="camel", frozen=True):
    """A value for an API-specific claim."""

    key: Annotated[str, Meta(min_length=1, max_length=200, description="The claim type.")]
    value: Annotated[str, Meta(min_length=1, max_length=1000)]


class ClientUpdate(Struct, rename="camel", frozen=True):
    """All that the client asks for from now on: what is left out is given up."""

    api_scopes: Annotated[list[Scope], Meta(max_length=100)] | None = None
    audience_specific_client_claims: Annotated[list[ClaimUpdate], Meta(max_length=100)] | None = (
        None
    )
    redirect_uris: Annotated[list[Uri], Meta(max_length=50)] | None = None
    post_logout_redirect_uris: Annotated[list[Uri], Meta(max_length=50)] | None = None
    child_organization_numbers: Annotated[list[OrganizationNumber], Meta(max_length=500)] | None = (
        None
    )


class LegacyClientStatus(Struct, rename="camel", frozen=True):
    active: bool
    reason: Literal["AwaitingOwnerConfirmation", "BlockedByAdmin"] | None


class LegacyScopeStatus(Struct, rename="camel", frozen=True):
    granted: bool
    scope: str
    reason: str | None


class LegacyDetails(Struct, rename="camel", frozen=True):
    client_status: LegacyClientStatus
    api_scope_access_statuses: list[LegacyScopeStatus]


class ClientStatusAnswer(Struct, rename="camel", frozen=True):
    """The status as it was told before 2025."""

    status: Literal["Active", "Limited", "Blocked"]
    details: LegacyDetails


def legacy_status(scopes: list[ScopeStatus]) -> ClientStatusAnswer:
    """The same facts in the old words. A blocked client gets no token, and so no answer."""
    granted = [scope.status == Status.OK for scope in scopes]
    return ClientStatusAnswer(
        status="Active" if all(granted) else "Limited",
        details=LegacyDetails(
            client_status=LegacyClientStatus(active=True, reason=None),
            api_scope_access_statuses=[
                LegacyScopeStatus(
                    granted=scope.status == Status.OK,
                    scope=scope.scope,
                    reason=scope.status_reason_code.legacy if scope.status_reason_code else None,
                )
                for scope in scopes
            ],
        ),
    )
