"""What this service tells the token issuer, whoever it is (RFC 7591 and RFC 7592)."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct


class PublishedKey(Struct, frozen=True):
    """A key with which the client may authenticate, until its end."""

    thumbprint: str
    kid: str
    parameters: dict[str, str]
    ends_at: datetime | None


class Registration(Struct, frozen=True, kw_only=True):
    """All that the issuer has to know of a client: it replaces what it knew before."""

    client_id: UUID
    client_name: str
    grant_types: list[str]
    scopes: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    keys: list[PublishedKey]
    organization_number: str
    child_organization_numbers: list[str]
    supplier_organization_number: str
    client_tenancy: str
    client_claims: dict[str, str]
    delegators: list[str]
    """Multi-tenant: on whose behalf the client may ask for tokens."""
    unsigned_scopes: dict[str, list[str]] = {}
    """Multi-tenant: by delegator, the scopes whose terms of use it has yet to sign."""
    blocked: bool


class IssuerUnavailable(Exception):
    """The issuer did not take what it was told, and why: for the log, without secrets."""


class TokenIssuer(Protocol):
    async def publish(self, registration: Registration) -> None:
        """Make the issuer know the client as it is now. Raises `IssuerUnavailable`."""
        ...

    async def withdraw(self, client_id: UUID) -> None:
        """Make the issuer forget the client. Raises `IssuerUnavailable`."""
        ...
