"""What is expected of the signed tokens of a call, beside what came. RFC 9449, 9068 and 7523.

A check that fails also says what to change, in the words of whoever writes the installer.
"""

import base64
import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from msgspec import Struct

from app.sandbox.addresses import is_at, other_parts
from app.sandbox.journal.entries import Check, Jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ASSERTION_TYPES = ("client-authentication+jwt", "JWT")
OLDEST_PROOF, PROOF_AHEAD, LEEWAY = 60, 10, 5
ONE_KEY = (
    "The token is bound to the key that signed the proof of the token request: sign the proof of "
    "each call with that same key."
)


class Expected(Struct, frozen=True, kw_only=True):
    """Where a call went."""

    method: str
    urls: Sequence[str]
    now: float


def proof_checks(
    proofs: Sequence[str], proof: Jwt | None, token: str | None, expected: Expected
) -> Iterator[Check]:
    if len(proofs) != 1:
        change = "Send one header `DPoP`, with a proof made for this very request."
        yield Check("proof", "one header DPoP", f"{len(proofs)} of them", ok=False, change=change)
        return
    if proof is None:
        change = "Send it as `header.claims.signature`, each in base64url without padding."
        a_jwt = "a signed JWT in compact form"
        yield Check("proof", a_jwt, "something else", ok=False, change=change)
        return
    header, claims = proof.header, proof.claims
    yield _equal("proof typ", "dpop+jwt", header.get("typ"), "Set it in the proof's header.")
    yield _one_of("proof alg", ALGORITHMS, header.get("alg"), "Sign with one of these.")
    jwk = header.get("jwk")
    members = sorted(jwk) if isinstance(jwk, dict) else []
    public = bool(members) and not {"d", "k"} & set(members)
    got = f"members {', '.join(members)}" if members else "none"
    change = "Put the public part, and nothing else, of the key that signs into the header's `jwk`."
    yield _check("proof jwk", "the public key that signed it", got, public, change)
    change = "Make a proof for each request, with the request's own method as `htm`."
    yield _equal("proof htm", expected.method, claims.get("htm"), change)
    yield _htu(claims.get("htu"), expected.urls)
    yield _iat(claims.get("iat"), expected.now)
    if token is not None:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        hashed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        change = "Hash the access token that goes with the proof: base64url of its SHA-256."
        yield _equal("proof ath", hashed, claims.get("ath"), change)


def nonce_check(proof: Jwt | None) -> Check:
    """Of a refusal that is part of every conversation with an issuer that wants nonces."""
    got = _said(proof.claims.get("nonce") if proof else None)
    change = (
        "Nothing is wrong with a first request, which cannot know it: make a new proof with this "
        "answer's `DPoP-Nonce` as its `nonce`, and a new assertion, and send the request again."
    )
    return Check("proof nonce", "the issuer's newest DPoP-Nonce", got, ok=False, change=change)


def token_checks(
    token: Jwt | None, proof: Jwt | None, *, issuer: str, audience: str, scope: str, now: float
) -> Iterator[Check]:
    if token is None:
        change = "Send `Authorization: DPoP ` and the access token, as the issuer gave it."
        expected = "a signed JWT after `DPoP`"
        yield Check("access token", expected, "none that can be read", ok=False, change=change)
        return
    claims = token.claims
    change = f"Get the token at {issuer}/connect/token: no other issuer's tokens count here."
    yield _equal("token iss", issuer, claims.get("iss"), change)
    change = f"Ask the issuer for `scope={scope}`: its tokens are for this API, others are not."
    yield _one_among("token aud", audience, claims.get("aud"), change)
    change = "Get a new token when this one ends; `expires_in` told when."
    yield _later("token exp", claims.get("exp"), now, change)
    change = f"Ask the issuer for `scope={scope}`, which the client must have been given."
    yield _one_among("token scope", scope, _words(claims.get("scope")), change)
    bound_to = claims.get("cnf", {}).get("jkt") if isinstance(claims.get("cnf"), dict) else None
    unbound = "Send a proof with the token request too: that binds the token to its key."
    key = _thumbprint(proof) or "the key of a proof"
    yield _equal("token cnf.jkt", key, bound_to, ONE_KEY if bound_to else unbound)


def assertion_checks(
    assertion: Jwt | None, *, audiences: Collection[str], client_id: str | None, now: float
) -> Iterator[Check]:
    if assertion is None:
        change = "Authenticate with a JWT signed by the client's key, as `client_assertion`."
        got = "none that can be read"
        yield Check("client_assertion", "a signed JWT", got, ok=False, change=change)
        return
    claims = assertion.claims
    change = "Set it in the assertion's header."
    yield _one_of("assertion typ", ASSERTION_TYPES, assertion.header.get("typ"), change)
    for name in ("iss", "sub"):
        change = f"Set `{name}` to the client's id, the same as `client_id` in the form."
        yield _equal(
            f"assertion {name}", client_id or "the client_id", claims.get(name), change=change
        )
    aud = claims.get("aud")
    given = aud if isinstance(aud, list) else [aud]
    is_for = any(one in audiences for one in given)
    change = "Set `aud` to the issuer's address as its discovery document has it (`issuer`)."
    yield _check("assertion aud", " or ".join(audiences), _said(aud), is_for, change)
    change = "Make an assertion for each token request, to end in half a minute or so."
    yield _later("assertion exp", claims.get("exp"), now, change)


def _check(name: str, expected: str, got: str, ok: bool, change: str) -> Check:
    return Check(name, expected, got, ok=ok, change="" if ok else change)


def _equal(name: str, expected: str, got: object, change: str) -> Check:
    return _check(name, expected, _said(got), got == expected, change)


def _one_of(name: str, expected: Collection[str], got: object, change: str) -> Check:
    return _check(name, f"one of {', '.join(expected)}", _said(got), got in expected, change)


def _one_among(name: str, expected: str, got: object, change: str) -> Check:
    ok = expected in (got if isinstance(got, list) else [got])
    return _check(name, expected, _said(got), ok, change)


def _htu(got: object, urls: Sequence[str]) -> Check:
    ok = isinstance(got, str) and any(is_at(got, url) for url in urls)
    change = "Set `htu` to the address that is called, without query and fragment."
    if isinstance(got, str) and not ok:
        change = f"{change} Its {other_parts(got, urls)} is not that of this call."
    return _check("proof htu", " or ".join(urls), _said(got), ok, change)


def _iat(got: object, now: float) -> Check:
    expected = f"about {int(now)}, the time here"
    change = "Set `iat` to the time now, in whole seconds since 1970."
    if not _is_number(got):
        return Check("proof iat", expected, _said(got), ok=False, change=change)
    off = float(str(got)) - now
    if off < 0:
        change = f"It is {-off:.0f} s old: make a proof right before each request, and keep none."
    else:
        change = f"It is {off:.0f} s ahead: set the clock of this machine right."
    ok = -OLDEST_PROOF <= off <= PROOF_AHEAD
    return _check("proof iat", expected, _said(got), ok, change)


def _later(name: str, got: object, now: float, change: str) -> Check:
    ok = _is_number(got) and float(str(got)) + LEEWAY > now
    come = f"{_said(got)} ({_moment(float(str(got)))})" if _is_number(got) else _said(got)
    expected = f"later than {int(now)} ({_moment(now)}, the time here)"
    return _check(name, expected, come, ok, change)


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
