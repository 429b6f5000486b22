"""What Maskinporten holds: its key, the one client it knows, and the assertions that were used."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from msgspec import Struct

from app.sandbox.token_issuer.expiring import UsedOnce
from app.sandbox.token_issuer.jose import PublicKey, import_public_key
from app.sandbox.token_issuer.signing import SigningKey

TOKEN_TYP = "JWT"


class MaskinportenClient(Struct, frozen=True, kw_only=True):
    """As it is registered by hand, before any program runs."""

    client_id: str
    jwks: Mapping[str, Any]
    scopes: list[str]
    organization_number: str = "994598759"
    """Whose client it is; stands in its tokens as `consumer`."""
    consumer_prefixes: tuple[str, ...] = ("nhn",)
    """The beginnings of the scopes that the organisation owns."""
    token_life_seconds: int = 120

    @property
    def keys(self) -> list[PublicKey]:
        return [import_public_key(jwk) for jwk in self.jwks["keys"]]


class Maskinporten:
    def __init__(self, url: str, client: MaskinportenClient | None) -> None:
        """The address ends with a slash, as the real issuer's does."""
        self.url = url
        self.client = client
        self.reset()

    def reset(self) -> None:
        self.used_assertions = UsedOnce()

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}token"

    @cached_property
    def signing_key(self) -> SigningKey:
        """Made when it is first needed: most tests of the other neighbours never do."""
        return SigningKey(datetime.now(UTC))

    def claims_of(self, token: str, now: datetime) -> Mapping[str, Any] | None:
        """What a token says that this Maskinporten signed and that has not ended."""
        return self.signing_key.live_claims_of(token, typ=TOKEN_TYP, now=now)


def life_of(client: MaskinportenClient) -> timedelta:
    return timedelta(seconds=client.token_life_seconds)
