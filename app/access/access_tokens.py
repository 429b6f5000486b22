"""Access tokens: who issued this, for whom, bound to which key.

The algorithm is decided by the issuer's key and by configuration, never by the token. Verified
tokens are remembered for their short life; what the client may do is asked anew each time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol, TypeGuard

from msgspec import Struct

from app.access.compact_jwt import LONGEST, Unreadable, is_signed_by, unverified_jwt
from app.access.dpop import DPOP_ALGORITHMS, Proof
from app.access.public_jwk import ALGORITHMS, PublicKey
from app.problems import Problem

TOKEN_ALGORITHMS = ("RS256", "PS256", "ES256")
LEEWAY = timedelta(seconds=5)
MOST_REMEMBERED = 10_000
LONGEST_ID = 256


class AccessTokenRejected(Problem):
    slug = "access-token-rejected"
    title = "The access token does not open this"
    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str, *, allow_bearer: bool = False, sent: bool = True) -> None:
        """RFC 6750: a caller who sent no token at all is told of no error."""
        error = 'error="invalid_token"' if sent else ""
        challenges = [f'DPoP {error}{", " if sent else ""}algs="{" ".join(DPOP_ALGORITHMS)}"']
        if allow_bearer:
            challenges.append(f"Bearer {error}".rstrip())
        super().__init__(detail, headers={"WWW-Authenticate": ", ".join(challenges)})


class InsufficientScope(Problem):
    slug = "insufficient-scope"
    title = "The access token does not hold the scope that is needed"
    status = HTTPStatus.FORBIDDEN

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"Ask the token issuer for a token with the scope {scope}.",
            headers={"WWW-Authenticate": f'DPoP error="insufficient_scope", scope="{scope}"'},
        )


class IssuerKeysUnavailable(Problem):
    """Raised by the port's adapter when it has no keys that it may still use."""

    slug = "issuer-unavailable"
    title = "The token issuer cannot be reached"
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "Access tokens cannot be checked now. Try again in a moment.",
            headers={"Retry-After": "5"},
        )


class IssuerKeys(Protocol):
    """The keys that the issuer publishes now, or published when it last could be reached."""

    async def key(self, kid: str) -> PublicKey | None:
        """None when the issuer has no such key."""


class VerifiedToken(Struct, frozen=True):
    """What the issuer says of the caller. Only `VerifiedTokens` makes one."""

    client_id: str
    scopes: frozenset[str]
    key_thumbprint: str | None
    """Of the key that the token is bound to; None for a token that anybody may use."""
    expires_at: datetime
    issuer_kid: str


class _Refused(Exception):
    """Why, for `AccessTokenRejected`."""


class TokenPolicy(Struct, frozen=True, kw_only=True):
    """Which tokens open this service."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = TOKEN_ALGORITHMS
    allow_bearer: bool = False


async def _verified(
    token: str, keys: IssuerKeys, policy: TokenPolicy, now: datetime
) -> tuple[VerifiedToken, PublicKey]:
    try:
        unverified = unverified_jwt(token)
        kid = unverified.header.get("kid")
        key = await keys.key(kid) if is_name(kid) else None
        if key is None:
            raise _Refused("is not signed with a key of the token issuer")
        alg = _checked_alg(unverified.header, key, policy.algorithms)
        if not is_signed_by(key, unverified, alg=alg):
            raise _Refused("has a signature that does not fit")
        return _believed(unverified.claims, str(kid), policy, now), key
    except Unreadable as error:
        detail = f"The access token cannot be read: {error}."
    except _Refused as refused:
        detail = f"The access token {refused}."
    raise AccessTokenRejected(detail, allow_bearer=policy.allow_bearer)


def _believed(
    claims: dict[str, Any], kid: str, policy: TokenPolicy, now: datetime
) -> VerifiedToken:
    """The issuer's own words; whether they are for us, and for now, is checked here."""
    _check_audience(claims, policy.issuer, policy.audience)
    return VerifiedToken(
        client_id=_client_id(claims),
        scopes=_scopes(claims),
        key_thumbprint=_key_thumbprint(claims),
        expires_at=_checked_times(claims, now),
        issuer_kid=kid,
    )


class VerifiedTokens:
    """Verifies tokens and remembers, by their hash, those that were good.

    A remembered token ends with its own time, and with the issuer's key that signed it.
    """

    def __init__(
        self, keys: IssuerKeys, policy: TokenPolicy, *, most: int = MOST_REMEMBERED
    ) -> None:
        self._keys = keys
        self._policy = policy
        self._most = most
        self._remembered: OrderedDict[bytes, tuple[VerifiedToken, PublicKey]] = OrderedDict()

    async def verified(self, token: str, *, now: datetime) -> VerifiedToken:
        """Check `token`, or raise `AccessTokenRejected`. `now` is real time."""
        start = token[: LONGEST + 1].encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(start).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None:
            verified, key = remembered
            published = await self._keys.key(verified.issuer_kid)
            same_key = published is not None and published.thumbprint == key.thumbprint
            if same_key and now < verified.expires_at:
                return verified
            self._remembered.pop(digest, None)
        verified, key = await _verified(token, self._keys, self._policy, now)
        self._remembered[digest] = (verified, key)
        if len(self._remembered) > self._most:
            self._remembered.popitem(last=False)
        return verified


def check_scope(token: VerifiedToken, scope: str) -> None:
    if scope not in token.scopes:
        raise InsufficientScope(scope)


def check_possession(token: VerifiedToken, proof: Proof, *, allow_bearer: bool = False) -> None:
    """Refuse a token that is bound to another key than the one that signed the proof."""
    if token.key_thumbprint != proof.key_thumbprint:
        raise AccessTokenRejected(
            "The access token is bound to another key than the one in the DPoP proof.",
            allow_bearer=allow_bearer,
        )


def _checked_alg(header: dict[str, Any], key: PublicKey, algorithms: Collection[str]) -> str:
    typ = header.get("typ")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise _Refused("has a `typ` other than at+jwt")
    alg = header.get("alg")
    fitting = ALGORITHMS[key.kind] if key.alg is None else (key.alg,)
    if not isinstance(alg, str) or alg not in fitting or alg not in algorithms:
        raise _Refused("is signed with an algorithm that is not accepted")
    return alg


_TYPES = frozenset({"at+jwt", "jwt"})


def _check_audience(claims: dict[str, Any], issuer: str, audience: str) -> None:
    if claims.get("iss") != issuer:
        raise _Refused(f"is not issued by {issuer}")
    aud = claims.get("aud")
    if audience not in (aud if isinstance(aud, list) else [aud]):
        raise _Refused(f"is not for the audience {audience}")


def _checked_times(claims: dict[str, Any], now: datetime) -> datetime:
    expires = _time(claims.get("exp"))
    if expires is None:
        raise _Refused("has no `exp`")
    if now >= expires + LEEWAY:
        raise _Refused("has expired: get a new one")
    starts = claims.get("nbf")
    if starts is not None and ((begin := _time(starts)) is None or now < begin - LEEWAY):
        raise _Refused("is not valid yet")
    return expires


def _time(value: object) -> datetime | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    if not 0 <= value < 253_402_300_000:  # the year 10000
        return None
    return datetime.fromtimestamp(value, UTC)


def _client_id(claims: dict[str, Any]) -> str:
    client_id = claims.get("client_id")
    if not is_name(client_id):
        raise _Refused("names no client in `client_id`")
    return client_id


def is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """HelseID writes a list, RFC 9068 one string."""
    scope = claims.get("scope", [])
    scopes = scope.split() if isinstance(scope, str) else scope
    if not isinstance(scopes, list) or not all(isinstance(name, str) for name in scopes):
        raise _Refused("has a `scope` that cannot be read")
    return frozenset(scopes)


def _key_thumbprint(claims: dict[str, Any]) -> str | None:
    """A token that is bound in another way than ours must not pass for one that is not bound."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return None
    thumbprint = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    if not isinstance(thumbprint, str) or not thumbprint:
        raise _Refused("is bound to a key in a way that is not understood (`cnf` without `jkt`)")
    return thumbprint
