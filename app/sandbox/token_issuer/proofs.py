"""DPoP proofs at the issuer (RFC 9449 sections 4.3, 5 and 8): with a nonce, always."""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from app.sandbox.addresses import is_at
from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import (
    NotAToken,
    UnusableKey,
    UnverifiedToken,
    as_moment,
    import_public_key,
    is_signed_by,
    read_unverified,
)

PROOF_TYP = "dpop+jwt"
OLDEST = timedelta(seconds=60)
AHEAD = timedelta(seconds=10)
NONCE_LIFE = timedelta(minutes=5)
MAX_JTI_LENGTH = 256


def check_proof(
    issuer: Issuer, client: Client, proofs: list[str], url: str, now: datetime
) -> str | None:
    """The thumbprint of the key that the token is bound to; None without a proof.

    The nonce is looked at before the `jti` is spent, and after the rest: a client that is told to
    repeat its request knows that nothing else was wrong with it.
    """
    if not proofs:
        return None
    if len(proofs) > 1:
        raise _invalid_proof("more than one DPoP header")
    unverified = _unverified_proof(proofs[0])
    jkt = _check_signature(proofs[0], unverified)
    claims = unverified.claims
    _check_request(claims, url)
    _check_age(claims, now)
    jti = _jti(claims)
    _check_nonce(issuer, client, claims.get("nonce"), now)
    if not issuer.used_proofs.spend(f"{jkt} {jti}", until=now + OLDEST + AHEAD, now=now):
        raise _invalid_proof("this proof was used before")
    return jkt


def _invalid_proof(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)


def _unverified_proof(proof: str) -> UnverifiedToken:
    try:
        unverified = read_unverified(proof)
    except NotAToken as error:
        raise _invalid_proof(str(error)) from error
    if unverified.header.get("typ") != PROOF_TYP:
        raise _invalid_proof(f"typ must be {PROOF_TYP}")
    return unverified


def _check_signature(proof: str, unverified: UnverifiedToken) -> str:
    jwk = unverified.header.get("jwk")
    if not isinstance(jwk, dict):
        raise _invalid_proof("the header holds no jwk")
    try:
        key = import_public_key(jwk)
    except UnusableKey as error:
        raise _invalid_proof(f"jwk: {error}") from error
    if not is_signed_by(proof, key):
        raise _invalid_proof("the key in the header does not fit the signature")
    return key.thumbprint()


def _check_request(claims: Mapping[str, Any], url: str) -> None:
    if claims.get("htm") != "POST":
        raise _invalid_proof("htm must be POST")
    htu = claims.get("htu")
    if not isinstance(htu, str) or not is_at(htu, url):
        raise _invalid_proof(f"htu must be {url}")


def _check_age(claims: Mapping[str, Any], now: datetime) -> None:
    made = as_moment(claims.get("iat"))
    if made is None:
        raise _invalid_proof("iat is missing or not a number")
    if not now - OLDEST <= made <= now + AHEAD:
        raise _invalid_proof("iat is too old or in the future: check the clock")


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
        raise _invalid_proof(f"jti must be 1 to {MAX_JTI_LENGTH} characters")
    return jti


def _check_nonce(issuer: Issuer, client: Client, nonce: object, now: datetime) -> None:
    """The header stands on no other answer: one library takes any refusal with it for this one."""
    newer = _make_nonce(issuer.nonce_key, now)
    if isinstance(nonce, str) and _is_ours(issuer.nonce_key, nonce, now):
        if issuer.strict is None or not issuer.strict.refuse(nonce, client.description):
            return
        issuer.strict.remember(newer)
    raise OAuthError(
        "use_dpop_nonce",
        "repeat the request with this nonce in the proof, and with a new assertion",
        {"DPoP-Nonce": newer},
    )


def _make_nonce(key: bytes, now: datetime) -> str:
    return _signed(key, f"{int(now.timestamp())}.{secrets.token_hex(8)}")


def _signed(key: bytes, content: str) -> str:
    return f"{content}.{hmac.digest(key, content.encode(), sha256).hex()[:32]}"


def _is_ours(key: bytes, nonce: str, now: datetime) -> bool:
    content, _, _ = nonce.rpartition(".")
    # What is not ASCII may not even be encodable.
    if not nonce.isascii() or not hmac.compare_digest(_signed(key, content), nonce):
        return False
    moment = as_moment(int(content.partition(".")[0]))
    return moment is not None and now - NONCE_LIFE <= moment <= now + AHEAD
