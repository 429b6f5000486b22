"""The assertion that a token is asked for with (RFC 7523), as strictly as Maskinporten reads it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from app.sandbox.maskinporten.maskinporten import Maskinporten, MaskinportenClient
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.jose import (
    NotAToken,
    UnverifiedToken,
    as_moment,
    is_signed_by,
    read_unverified,
)

MAX_LIFE = timedelta(seconds=120)
SKEW = timedelta(seconds=10)
MAX_JTI_LENGTH = 256


class Asked(Struct, frozen=True):
    client: MaskinportenClient
    scopes: list[str]


def invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", f"Invalid assertion. {description}")


def read_assertion(maskinporten: Maskinporten, assertion: str, now: datetime) -> Asked:
    """What is asked for. The assertion is spent by this."""
    try:
        unverified = read_unverified(assertion)
    except NotAToken as error:
        raise invalid_grant(f"It is {error}.") from error
    claims = unverified.claims
    client = _client(maskinporten, assertion, unverified)
    _check_audience(maskinporten, claims.get("aud"))
    ends = _check_times(claims, now)
    scopes = _scopes(client, claims.get("scope"))
    if not maskinporten.used_assertions.spend(_jti(claims), until=ends + SKEW, now=now):
        raise invalid_grant("Its jti was used before.")
    return Asked(client, scopes)


def _client(
    maskinporten: Maskinporten, assertion: str, unverified: UnverifiedToken
) -> MaskinportenClient:
    client = maskinporten.client
    if client is None or unverified.claims.get("iss") != client.client_id:
        raise invalid_grant("Its iss is no client that is known.")
    if not any(is_signed_by(assertion, key) for key in client.keys):
        raise invalid_grant("Its signature fits no key of the client.")
    return client


def _check_audience(maskinporten: Maskinporten, audience: object) -> None:
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in (maskinporten.url, maskinporten.token_endpoint):
        raise invalid_grant(f"Its aud must be {maskinporten.url} alone.")


def _check_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    begins, ends = as_moment(claims.get("iat")), as_moment(claims.get("exp"))
    if begins is None or ends is None:
        raise invalid_grant("It needs iat and exp.")
    if ends <= now - SKEW:
        raise invalid_grant("It has expired.")
    if begins > now + SKEW:
        raise invalid_grant("Its iat is in the future.")
    if ends - begins > MAX_LIFE:
        raise invalid_grant(f"It lives longer than {MAX_LIFE.seconds} s.")
    return ends


def _scopes(client: MaskinportenClient, scope: object) -> list[str]:
    scopes = list(dict.fromkeys(scope.split())) if isinstance(scope, str) else []
    if not scopes:
        raise OAuthError("invalid_scope", "The assertion holds no scope.")
    outside = sorted(set(scopes) - set(client.scopes))
    if outside:
        raise OAuthError("invalid_scope", f"The client may not use: {' '.join(outside)}")
    return scopes


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
        raise invalid_grant(f"Its jti must be 1 to {MAX_JTI_LENGTH} characters.")
    return jti
