"""Everything the issuer remembers, in one object that its routes share."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.sandbox.people import People
from app.sandbox.token_issuer.client_store import ClientMetadata, ClientStore
from app.sandbox.token_issuer.expiring import Expiring, UsedOnce
from app.sandbox.token_issuer.grant_state import AuthorizationRequest, UserGrant
from app.sandbox.token_issuer.signing import SigningKey
from app.sandbox.token_issuer.strictness import LATE, StrictNonces

LOGIN_CLIENT_DEFAULTS = {
    "client_name": "HelseID Selvbetjening",
    "grant_types": ["authorization_code", "refresh_token"],
}


class Issuer:
    def __init__(
        self,
        url: str,
        *,
        registration_token: str,
        login_client: Mapping[str, Any] | None,
        now: datetime,
        people: People,
        strict: int | None = None,
    ) -> None:
        """`strict` is the seed by which it is as strict as any issuer might be."""
        self.url = url
        self.registration_token = registration_token
        self.people = people
        self.signing_key = SigningKey(now)
        self.nonce_key = secrets.token_bytes(32)
        self._login_client = login_client
        self._seed = strict
        self._late = timedelta() if strict is None else LATE
        self.reset(now)

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/connect/token"

    @property
    def par_endpoint(self) -> str:
        return f"{self.url}/connect/par"

    @property
    def registration_endpoint(self) -> str:
        return f"{self.url}/connect/register"

    def reset(self, now: datetime) -> None:
        """Forgets everything but the signing key, so that nobody must fetch the keys again."""
        self.forget_registrations(now)
        self.strict = None if self._seed is None else StrictNonces(self._seed)
        self.used_assertions = UsedOnce()
        self.used_proofs = UsedOnce()
        self.requests: Expiring[AuthorizationRequest] = Expiring()
        self.codes: Expiring[UserGrant] = Expiring()
        self.refresh_tokens: Expiring[UserGrant] = Expiring()

    def forget_registrations(self, now: datetime) -> None:
        """As after a restored backup. The service's own login client is not a registration."""
        self.clients = ClientStore(self._late)
        if self._login_client is not None:
            given = {**LOGIN_CLIENT_DEFAULTS, **self._login_client}
            metadata = msgspec.convert(given, ClientMetadata)
            self.clients.put(str(metadata.client_id), metadata, now - self._late)
