"""What is expected of the signed tokens of a call, beside what came. RFC 9449, 9068 and 7523."""

import base64
import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from msgspec import Struct

from app.sandbox.journal.entries import Check, Jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
OLDEST_PROOF, PROOF_AHEAD, LEEWAY = 60, 10, 5
DEFAULT_PORTS = {"http": 80, "https": 443}


class Expected(Struct, frozen=True, kw_only=True):
    """Where a call went."""

    method: str
    urls: Sequence[str]
    now: float


def proof_checks(
    proofs: Sequence[str], proof: Jwt | None, token: str | None, expected: Expected
) -> Iterator[Check]:
    if len(proofs) != 1:
        yield Check("proof", "one header DPoP", f"{len(proofs)} of them", ok=False)
        return
    if proof is None:
        yield Check("proof", "a signed JWT in compact form", "something else", ok=False)
        return
    header, claims = proof.header, proof.claims
    yield _equal("proof typ", "dpop+jwt", header.get("typ"))
    yield _one_of("proof alg", ALGORITHMS, header.get("alg"))
    jwk = header.get("jwk")
    members = sorted(jwk) if isinstance(jwk, dict) else []
    public = bool(members) and not {"d", "k"} & set(members)
    got = f"members {', '.join(members)}" if members else "none"
    yield Check("proof jwk", "the public key that signed it", got, ok=public)
    yield _equal("proof htm", expected.method, claims.get("htm"))
    htu = claims.get("htu")
    is_there = isinstance(htu, str) and _normal(htu) in map(_normal, expected.urls)
    yield Check("proof htu", " or ".join(expected.urls), _said(htu), ok=is_there)
    yield _around("proof iat", claims.get("iat"), expected.now)
    if token is not None:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        hashed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        yield _equal("proof ath", hashed, claims.get("ath"))


def token_checks(
    token: Jwt | None, proof: Jwt | None, *, issuer: str, audience: str, scope: str, now: float
) -> Iterator[Check]:
    if token is None:
        yield Check("access token", "a signed JWT after `DPoP`", "none that can be read", ok=False)
        return
    claims = token.claims
    yield _equal("token iss", issuer, claims.get("iss"))
    yield _one_among("token aud", audience, claims.get("aud"))
    yield _later("token exp", claims.get("exp"), now)
    yield _one_among("token scope", scope, _words(claims.get("scope")))
    bound_to = claims.get("cnf", {}).get("jkt") if isinstance(claims.get("cnf"), dict) else None
    yield _equal("token cnf.jkt", _thumbprint(proof) or "the key of a proof", bound_to)


def assertion_checks(
    assertion: Jwt | None, *, audiences: Collection[str], client_id: str | None, now: float
) -> Iterator[Check]:
    if assertion is None:
        yield Check("client_assertion", "a signed JWT", "none that can be read", ok=False)
        return
    claims = assertion.claims
    yield _one_of(
        "assertion typ", ("client-authentication+jwt", "JWT"), assertion.header.get("typ")
    )
    for name in ("iss", "sub"):
        yield _equal(f"assertion {name}", client_id or "the client_id", claims.get(name))
    aud = claims.get("aud")
    given = aud if isinstance(aud, list) else [aud]
    is_for = any(one in audiences for one in given)
    yield Check("assertion aud", " or ".join(audiences), _said(aud), ok=is_for)
    yield _later("assertion exp", claims.get("exp"), now)


def _equal(name: str, expected: str, got: object) -> Check:
    return Check(name, expected, _said(got), ok=got == expected)


def _one_of(name: str, expected: Collection[str], got: object) -> Check:
    return Check(name, f"one of {', '.join(expected)}", _said(got), ok=got in expected)


def _one_among(name: str, expected: str, got: object) -> Check:
    return Check(
        name, expected, _said(got), ok=expected in (got if isinstance(got, list) else [got])
    )


def _around(name: str, got: object, now: float) -> Check:
    ok = _is_number(got) and now - OLDEST_PROOF <= float(str(got)) <= now + PROOF_AHEAD
    return Check(name, f"about {int(now)}, the time here", _said(got), ok=ok)


def _later(name: str, got: object, now: float) -> Check:
    ok = _is_number(got) and float(str(got)) + LEEWAY > now
    come = f"{_said(got)} ({_moment(float(str(got)))})" if _is_number(got) else _said(got)
    return Check(name, f"later than {int(now)} ({_moment(now)}, the time here)", come, ok=ok)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e11


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)[:300]


def _thumbprint(proof: Jwt | None) -> str | None:
    jwk: Any = proof.header.get("jwk") if proof else None
    if not isinstance(jwk, dict):
        return None
    try:
        return str(JWKRegistry.import_key(jwk).thumbprint())
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _normal(url: str) -> tuple[object, ...]:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return (url,)
    return (parts.scheme.lower(), parts.hostname, port, parts.path or "/")
