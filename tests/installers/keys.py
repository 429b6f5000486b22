"""Key pairs as the real installers make them, and what they sign."""

import base64
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import to_bytes
from msgspec import Struct, json

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NEW_TYP = "client-authentication+jwt"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class _AnyHeader(jws.JWSRegistry):
    """Signs headers that no honest client would send."""

    def check_header(self, header: Mapping[str, Any]) -> None:
        pass


_REGISTRY = _AnyHeader(algorithms=[*ALGORITHMS, "HS256"], strict_check_header=False)


class InstallersKey(Struct, frozen=True):
    key: RSAKey | ECKey
    alg: str
    members: dict[str, Any]
    """The public JWK, as this installer writes it."""

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    @property
    def bare(self) -> dict[str, Any]:
        """The members that make the key, as they stand in the header of a proof."""
        names = ("kty", "crv", "x", "y", "n", "e")
        return {name: self.members[name] for name in names if name in self.members}

    def private(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=True))


def rsa_key(bits: int, alg: str | None, **more: Any) -> InstallersKey:
    """`kid` is the thumbprint unless another is given; without `alg` it is signed with RS256."""
    return _installers_key(RSAKey.generate_key(bits), alg, "RS256", more)


def ec_key(curve: str = "P-256", alg: str | None = None, **more: Any) -> InstallersKey:
    usual = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[curve]
    return _installers_key(ECKey.generate_key(curve), alg, usual, more)


def _installers_key(
    key: RSAKey | ECKey, alg: str | None, usual: str, more: dict[str, Any]
) -> InstallersKey:
    public = {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}
    named = {"alg": alg, "kid": key.thumbprint(), **more}
    members = public | {name: value for name, value in named.items() if value is not None}
    return InstallersKey(key, alg or usual, dict(sorted(members.items())))


def sign(header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, key: Any) -> str:
    payload = claims if isinstance(claims, bytes) else json.encode(dict(claims))
    return jws.serialize_compact(dict(header), to_bytes(payload), key, registry=_REGISTRY)


def assertion(
    client_id: str,
    issuer: str,
    key: InstallersKey,
    *,
    seconds: int,
    typ: str | None = NEW_TYP,
    alg: str | None = None,
    kid: str | None = None,
    **more: Any,
) -> str:
    """A client assertion, good for `seconds`."""
    now = int(time.time())
    header = {"alg": alg or key.alg, "kid": kid or key.members.get("kid"), "typ": typ}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
    }
    return sign(without_none(header), claims | more, key.key)


def proof(
    key: InstallersKey,
    method: str,
    url: str,
    *,
    nonce: str | None = None,
    token: str | None = None,
    header: Mapping[str, Any] | None = None,
    alg: str | None = None,
    **more: Any,
) -> str:
    """A DPoP proof. A claim, or a member of the header, that is None is left out."""
    top = {"typ": "dpop+jwt", "alg": alg or key.alg, "jwk": key.bare, **(header or {})}
    claims = {
        "jti": secrets.token_hex(16),
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "nonce": nonce,
        "ath": token_hash(token) if token else None,
    }
    return sign(without_none(top), without_none(claims | more), key.key)


def key_proof(
    key: InstallersKey,
    client_id: str,
    url: str,
    *,
    typ: str = "key-proof+jwt",
    alg: str | None = None,
    sign_with: InstallersKey | None = None,
    **more: Any,
) -> str:
    """A short JWT that shows that the key is held. A claim that is None is left out."""
    header = {"typ": typ, "alg": alg or key.alg, "kid": key.members.get("kid")}
    claims = {"iss": client_id, "sub": client_id, "aud": url, "iat": int(time.time())}
    return sign(without_none(header), without_none(claims | more), (sign_with or key).key)


def token_hash(token: str) -> str:
    return base64.urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """What stands in a token, its signature aside."""
    body = token.split(".")[1]
    decoded: dict[str, Any] = json.decode(base64.urlsafe_b64decode(body + "=="))
    return decoded


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
