"""What is carried from one request of the code flow to the next."""

from datetime import datetime

from msgspec import Struct

from app.sandbox.people import Person


class Organizations(Struct, frozen=True):
    """On whose behalf a token is asked for."""

    parent: str | None = None
    child: str | None = None
    journal_id: str | None = None


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """A pushed request (RFC 9126), checked."""

    client_id: str
    redirect_uri: str
    scopes: list[str]
    code_challenge: str
    state: str | None
    nonce: str | None
    organizations: Organizations
    jkt: str | None
    """The proof key that the code is bound to (RFC 9449 section 10)."""


class UserGrant(Struct, frozen=True, kw_only=True):
    """What a person granted: behind a code, and afterwards behind a refresh token."""

    request: AuthorizationRequest
    person: Person
    session_id: str
    authenticated: datetime
