"""Who is calling. Holding one of these means that the caller has been authenticated."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.audit.trail import Actor


class Origin(Struct, frozen=True):
    """Where a request came from."""

    address: str
    request_id: str


class CallingSystem(Struct, frozen=True):
    """An installer, by the API key of its client system."""

    client_system_id: str
    api_key_prefix: str
    origin: Origin

    @property
    def actor(self) -> Actor:
        return Actor(f"api-key:{self.api_key_prefix}", self.origin.address, self.origin.request_id)


class CallingClient(Struct, frozen=True):
    """A client, by an access token of its own. Whether it is blocked is another matter."""

    client_id: UUID
    key_thumbprint: str | None
    """The key of the proof; None for a bearer token."""
    origin: Origin

    @property
    def actor(self) -> Actor:
        return Actor(f"client:{self.client_id}", self.origin.address, self.origin.request_id)


class EndUser(Struct, frozen=True):
    """A person who has logged in at the token issuer, for the pages of one draft."""

    pseudonym: str
    name: str
    """For the page only: it is neither logged nor kept beyond the session."""
    security_level: int
    auth_time: datetime
    origin: Origin

    @property
    def actor(self) -> Actor:
        return Actor(f"person:{self.pseudonym}", self.origin.address, self.origin.request_id)
