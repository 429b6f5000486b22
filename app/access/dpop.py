"""Is this DPoP proof for this request? RFC 9449, section 4.3, all but replay.

The hottest code of the service: a proof is decoded once, and the signature is what costs.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from app.access.compact_jwt import Unreadable, UnverifiedJwt, is_signed_by, unverified_jwt
from app.access.public_jwk import ALGORITHMS, KeyRefused, PublicKey, acceptable_jwk
from app.access.request_url import same_url
from app.problems import Problem

DPOP_ALGORITHMS = tuple(name for names in ALGORITHMS.values() for name in names)
OLDEST = timedelta(seconds=60)
AHEAD = timedelta(seconds=10)
LONGEST_JTI = 256


class ProofRejected(Problem):
    slug = "dpop-proof-rejected"
    title = "The DPoP proof does not go with this request"
    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        challenge = f'DPoP error="invalid_dpop_proof", algs="{" ".join(DPOP_ALGORITHMS)}"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Proof(Struct, frozen=True):
    """A proof that goes with the request. Whether it has been used before is another matter."""

    key_thumbprint: str
    jti: str
    usable_until: datetime
    """From then on it is refused for its age, and need not be remembered."""


def verified_proof(
    proof: str,
    *,
    method: str,
    urls: Sequence[str],
    access_token: str,
    now: datetime,
    not_before: int,
) -> Proof:
    """Check `proof` against the request, or raise `ProofRejected` with all that is wrong.

    `urls` is the request's raw address under each public base. `now` is real time, never the
    domain's clock. Proofs issued before `not_before` (epoch seconds) may have been used: the
    memory of them was lost.
    """
    try:
        token = unverified_jwt(proof)
    except Unreadable as error:
        raise ProofRejected(f"The proof cannot be read: {error}.") from None
    claims = token.claims
    wrong: dict[str, str] = {}
    key = _checked_key(token, wrong)
    if claims.get("htm") != method:
        wrong["htm"] = method
    if not _is_for(claims.get("htu"), urls):
        wrong["htu"] = " or ".join(urls)
    if not is_fresh(claims.get("iat"), now.timestamp(), not_before):
        wrong["iat"] = f"about {int(now.timestamp())}, the time here"
    if claims.get("ath") != _hash(access_token):
        wrong["ath"] = "the SHA-256 of the access token that is sent, in base64url"
    if not is_jti(claims.get("jti")):
        wrong["jti"] = f"text of 1 to {LONGEST_JTI} characters"
    if wrong or key is None:
        raise ProofRejected(_refusal(wrong))
    usable_until = datetime.fromtimestamp(claims["iat"], UTC) + OLDEST
    return Proof(key.thumbprint, claims["jti"], usable_until)


def _checked_key(token: UnverifiedJwt, wrong: dict[str, str]) -> PublicKey | None:
    """The key that signed the proof, unless something about it is wrong."""
    header = token.header
    if header.get("typ") != "dpop+jwt":
        wrong["typ"] = "dpop+jwt"
    try:
        key = acceptable_jwk(_object(header.get("jwk")), pointer="#")
    except KeyRefused as refused:
        wrong["jwk"] = " ".join(error.detail for error in refused.errors)
        return None
    fitting = ALGORITHMS[key.kind]
    alg = header.get("alg")
    if alg not in fitting:
        wrong["alg"] = f"one of {', '.join(fitting)} for this key"
    elif not is_signed_by(key, token, alg=alg):
        wrong["signature"] = "by the key in `jwk`, over this header and these claims"
    return key


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_for(htu: object, urls: Sequence[str]) -> bool:
    return isinstance(htu, str) and (htu in urls or any(same_url(htu, url) for url in urls))


def is_fresh(iat: object, now: float, not_before: int) -> bool:
    if not isinstance(iat, (int, float)):
        return False
    return now - OLDEST.total_seconds() <= iat <= now + AHEAD.total_seconds() and iat >= not_before


def is_jti(jti: object) -> bool:
    # What is not printable (NUL, half a surrogate pair) cannot be remembered by the database.
    return isinstance(jti, str) and 0 < len(jti) <= LONGEST_JTI and jti.isprintable()


def _hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _refusal(wrong: dict[str, str]) -> str:
    expected = "; ".join(f"{name}: {value}" for name, value in wrong.items())
    return f"Wrong in the proof: {', '.join(wrong)}. Expected: {expected.removesuffix('.')}."
