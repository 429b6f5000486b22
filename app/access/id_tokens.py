"""ID tokens: who logged in just now, in answer to our own request (OpenID Connect Core 3.1.3.7)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from app.access.access_tokens import IssuerKeys, is_name
from app.access.compact_jwt import Unreadable, is_signed_by, unverified_jwt
from app.access.login_issuer import Identity, LoginRefused
from app.access.person_numbers import person_number
from app.access.public_jwk import ALGORITHMS

ID_TOKEN_ALGORITHMS = ("RS256", "PS256", "ES256")
LEEWAY = timedelta(seconds=5)
OLDEST = timedelta(minutes=10)
SECURITY_LEVEL = "helseid://claims/identity/security_level"
PERSON_NUMBER = "helseid://claims/identity/pid"


class Expected(Struct, frozen=True, kw_only=True):
    """What the token must say of itself."""

    issuer: str
    client_id: str
    nonce: str


async def verified_identity(
    token: str, *, keys: IssuerKeys, expected: Expected, now: datetime
) -> Identity:
    """The person, or `LoginRefused`. `now` is real time."""
    claims = await _signed_claims(token, keys)
    if claims.get("iss") != expected.issuer:
        raise LoginRefused("the id token is not issued by the configured issuer")
    _check_audience(claims, expected.client_id)
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        raise LoginRefused("the id token's nonce is not that of this attempt")
    _check_times(claims, now)
    return _identity(claims)


async def _signed_claims(token: str, keys: IssuerKeys) -> Mapping[str, Any]:
    try:
        unverified = unverified_jwt(token)
    except Unreadable as error:
        raise LoginRefused(f"the id token cannot be read: {error}") from None
    kid, alg = unverified.header.get("kid"), unverified.header.get("alg")
    key = await keys.key(kid) if isinstance(kid, str) else None
    if key is None:
        raise LoginRefused("the id token is not signed with a key of the issuer")
    fitting = ALGORITHMS[key.kind] if key.alg is None else (key.alg,)
    if not isinstance(alg, str) or alg not in fitting or alg not in ID_TOKEN_ALGORITHMS:
        raise LoginRefused("the id token is signed with an algorithm that is not accepted")
    if not is_signed_by(key, unverified, alg=alg):
        raise LoginRefused("the id token's signature does not fit")
    return unverified.claims


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """For us alone: one more audience could use the token as well."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if audiences != [client_id] or claims.get("azp", client_id) != client_id:
        raise LoginRefused("the id token is not for this service")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if now >= expires + LEEWAY:
        raise LoginRefused("the id token has expired")
    if not now - OLDEST <= issued <= now + LEEWAY:
        raise LoginRefused("the id token was not issued just now")


def _identity(claims: Mapping[str, Any]) -> Identity:
    subject, name = claims.get("sub"), claims.get("name")
    if not is_name(subject):
        raise LoginRefused("the id token names nobody")
    return Identity(
        subject=subject,
        name=_printable(name)[:200] if isinstance(name, str) else "",
        security_level=_level(claims.get(SECURITY_LEVEL)),
        auth_time=_moment(claims, "auth_time"),
        person=person_number(claims.get(PERSON_NUMBER)),
    )


def _printable(name: str) -> str:
    """Neither a page nor the database has a place for the rest, such as NUL or half a pair."""
    return "".join(filter(str.isprintable, name))


def _level(value: object) -> int:
    """A digit in a string at HelseID."""
    text = str(value)
    return int(text) if text in ("3", "4") else 0


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise LoginRefused(f"the id token has no {name}")
    if not 0 <= value < 253_402_300_000:  # the year 10000
        raise LoginRefused(f"the id token's {name} is no time")
    return datetime.fromtimestamp(value, UTC)
