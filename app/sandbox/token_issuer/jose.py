"""Reading and checking signed tokens that others made: assertions, proofs, request objects."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from msgspec import Struct

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
MAX_TOKEN_LENGTH = 8_192

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
PUBLIC_MEMBERS = {"kty", "n", "e", "crv", "x", "y"}
CURVES = {"P-256", "P-384", "P-521"}


class _Registry(jws.JWSRegistry):
    # The library's 512 bytes are too few for a proof that carries an RSA key in its header.
    max_header_length = 4_096


REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class NotAToken(Exception):
    """The text is not a signed token. The message is for the client's developer."""


class UnusableKey(Exception):
    """The JWK cannot check a signature. The message is for the client's developer."""


class UnverifiedToken(Struct, frozen=True):
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


PublicKey = RSAKey | ECKey


def read_unverified(token: str) -> UnverifiedToken:
    """Header and claims, believed by nobody yet."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise NotAToken(f"longer than {MAX_TOKEN_LENGTH} characters")
    try:
        parts = jws.extract_compact(token.encode(), registry=REGISTRY)
        claims = json.loads(parts.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotAToken("not a signed JWT in compact form") from error
    if not isinstance(claims, dict):
        raise NotAToken("the claims are not a JSON object")
    if parts.headers().get("alg") not in ALGORITHMS:
        raise NotAToken(f"alg must be one of {', '.join(ALGORITHMS)}")
    return UnverifiedToken(parts.headers(), claims)


def is_signed_by(token: str, key: PublicKey) -> bool:
    """An algorithm that does not fit the key is a signature that does not fit it."""
    try:
        jws.deserialize_compact(token, key, algorithms=ALGORITHMS, registry=REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return True


def import_public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """`alg`, `use` and `kid` of the JWK are left out: real clients sign with other algorithms."""
    if PRIVATE_MEMBERS & jwk.keys():
        raise UnusableKey("the JWK holds private members")
    try:
        key = JWKRegistry.import_key({name: jwk[name] for name in PUBLIC_MEMBERS & jwk.keys()})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise UnusableKey("the JWK is not a key") from error
    return _checked(key)


def _checked(key: object) -> PublicKey:
    if isinstance(key, RSAKey) and isinstance(key.raw_value, RSAPublicKey):
        if key.raw_value.key_size >= 2_048:
            return key
        raise UnusableKey("RSA keys have at least 2048 bits")
    if isinstance(key, ECKey) and isinstance(key.raw_value, EllipticCurvePublicKey):
        if key.curve_name in CURVES:
            return key
        raise UnusableKey(f"EC keys are on one of {', '.join(sorted(CURVES))}")
    raise UnusableKey("kty must be RSA or EC")


def as_moment(value: object) -> datetime | None:
    """A NumericDate (RFC 7519), or None for what is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
