"""Signed JWTs in the compact form: read once, and verified from what was read.

joserfc reads no header of more than 512 bytes, and the RSA key in a proof is longer: hence the
registry of our own. Bad input makes it raise more than its own errors; here all become one.
"""

import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Struct

from app.access.public_jwk import ALGORITHMS, PublicKey, base64url_octets

LONGEST = 8192
"""Of a proof or a token, in characters. What is longer is not looked at."""


class Unreadable(Exception):
    """This is no signed JWT. The text tells its sender why, and repeats nothing of it."""


class UnverifiedJwt(Struct, frozen=True):
    """What the JWT says; anybody may have written it."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


class _Registry(jws.JWSRegistry):
    max_header_length = 4096
    max_payload_length = LONGEST


_REGISTRY = _Registry(algorithms=[name for names in ALGORITHMS.values() for name in names])


def unverified_jwt(text: str) -> UnverifiedJwt:
    """Read a JWT without believing it."""
    if len(text) > LONGEST:
        raise Unreadable(f"it is longer than {LONGEST} characters")
    try:
        parts = jws.extract_compact(text.encode("ascii"), registry=_REGISTRY)
        header: object = parts.headers()
        claims: object = json.loads(parts.payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Unreadable("it is not a JWT in the compact form") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unreadable("its header and its claims must be JSON objects")
    if "crit" in header:
        raise Unreadable("`crit` names extensions, and none is understood here")
    signature = base64url_octets(parts.segments["signature"].decode("ascii"))
    if not signature:
        raise Unreadable("it is not signed")
    signed = text[: text.rindex(".")].encode("ascii")
    return UnverifiedJwt(header=header, claims=claims, signed=signed, signature=signature)


def is_signed_by(key: PublicKey, token: UnverifiedJwt, *, alg: str) -> bool:
    """Whether `key` verifies the signature. `alg` must have been found to fit the key."""
    try:
        return _REGISTRY.get_alg(alg).verify(token.signed, token.signature, key.key)
    except (JoseError, ValueError):
        return False
