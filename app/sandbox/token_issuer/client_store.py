"""The clients that the issuer knows, as they were registered (RFC 7591 with our extensions)."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from app.sandbox.token_issuer.jose import PublicKey, UnusableKey, import_public_key

# Organisations whose clients the issuer learns of late, in real time.
LATE_ORGANIZATIONS = {"310000108": timedelta(seconds=20)}

OrganizationNumber = Annotated[str, Meta(pattern=r"^[0-9]{9}$")]
ClientId = Annotated[str, Meta(min_length=1, max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]


class Jwks(Struct, frozen=True):
    keys: list[dict[str, Any]]


class ClientMetadata(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A registration, whole: what a PUT leaves out is gone."""

    client_id: ClientId | None = None
    client_name: str = ""
    grant_types: list[str] = field(default_factory=lambda: ["authorization_code"])
    response_types: list[str] = field(default_factory=lambda: ["code"])
    redirect_uris: list[str] = []
    post_logout_redirect_uris: list[str] = []
    scope: str = ""
    token_endpoint_auth_method: Literal["private_key_jwt"] = "private_key_jwt"
    jwks: Jwks = field(default_factory=lambda: Jwks([]))
    dpop_bound_access_tokens: bool = False
    """RFC 9449: this client gets no bearer token, whatever its scopes allow."""

    key_ends: dict[str, Instant] = {}
    """By RFC 7638 thumbprint: when the issuer stops believing the key. Absent is never."""
    organization_number: OrganizationNumber | None = None
    child_organization_numbers: list[OrganizationNumber] = []
    supplier_organization_number: OrganizationNumber | None = None
    client_tenancy: Literal["none", "single-tenant", "multi-tenant"] = "none"
    client_claims: dict[str, str] = {}
    delegators: list[OrganizationNumber] = []
    """Multi-tenant: who has delegated to the client's supplier."""
    unsigned_scopes: dict[OrganizationNumber, list[str]] = {}
    """Multi-tenant: scopes whose terms of use this delegator has not signed."""
    blocked: bool = False


class ClientKey(Struct, frozen=True):
    kid: str | None
    thumbprint: str
    key: PublicKey
    ends: datetime | None

    def is_live(self, now: datetime) -> bool:
        return self.ends is None or now < self.ends


class Client(Struct, frozen=True):
    client_id: str
    metadata: ClientMetadata
    keys: list[ClientKey]
    created: datetime
    updated: datetime
    takes_effect: datetime

    @property
    def description(self) -> str:
        """The same in another run, where the id is another."""
        return f"{self.metadata.organization_number} {self.metadata.client_name}"

    @property
    def api_scopes(self) -> list[str]:
        return self.metadata.scope.split()


class ClientStore:
    def __init__(self, late: timedelta = timedelta()) -> None:
        self._late = late
        self._clients: dict[str, Client] = {}

    def put(self, client_id: str, metadata: ClientMetadata, now: datetime) -> Client:
        """Only the first registration is late; what changes while it waits waits with it."""
        before = self._clients.get(client_id)
        late = LATE_ORGANIZATIONS.get(metadata.organization_number or "", self._late)
        client = Client(
            client_id=client_id,
            metadata=metadata,
            keys=client_keys(metadata),
            created=before.created if before else now,
            updated=now,
            takes_effect=before.takes_effect if before else now + late,
        )
        self._clients[client_id] = client
        return client

    def registered(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)

    def in_effect(self, client_id: str, now: datetime) -> Client | None:
        client = self._clients.get(client_id)
        return client if client and client.takes_effect <= now else None

    def remove(self, client_id: str) -> None:
        self._clients.pop(client_id, None)

    def all(self) -> list[Client]:
        return list(self._clients.values())


def client_keys(metadata: ClientMetadata) -> list[ClientKey]:
    """Raises `UnusableKey` for the first key that cannot be used."""
    return [_client_key(jwk, metadata) for jwk in metadata.jwks.keys]


def _client_key(jwk: dict[str, Any], metadata: ClientMetadata) -> ClientKey:
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise UnusableKey("kid is not a string")
    key = import_public_key(jwk)
    thumbprint = key.thumbprint()
    return ClientKey(kid, thumbprint, key, metadata.key_ends.get(thumbprint))
