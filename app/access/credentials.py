"""The access token and the DPoP proof, out of the headers of a request."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from app.access.access_tokens import AccessTokenRejected, VerifiedToken
from app.access.dpop import ProofRejected


class Scheme(StrEnum):
    DPOP = "dpop"
    BEARER = "bearer"


class Credentials(Struct, frozen=True):
    """What the caller presented. Nothing of it has been checked."""

    scheme: Scheme
    token: str
    proof: str | None
    """Always there with `Scheme.DPOP`, never with `Scheme.BEARER`."""


def presented_credentials(
    headers: Iterable[tuple[bytes, bytes]], *, allow_bearer: bool
) -> Credentials:
    """The credentials in the headers as ASGI gives them: names in lower case, each as sent."""
    authorizations: list[bytes] = []
    proofs: list[bytes] = []
    for name, value in headers:
        if name == b"authorization":
            authorizations.append(value)
        elif name == b"dpop":
            proofs.append(value)
    scheme, token = _presented_token(authorizations, allow_bearer)
    if scheme is Scheme.BEARER:
        return Credentials(scheme, token, None)
    return Credentials(scheme, token, _presented_proof(proofs))


def check_scheme(token: VerifiedToken, credentials: Credentials, *, allow_bearer: bool) -> None:
    """A bound token needs its proof, and `DPoP` promises one: neither passes as the other."""
    bound = token.key_thumbprint is not None
    if bound and credentials.scheme is Scheme.BEARER:
        raise AccessTokenRejected(
            "This access token is bound to a key: send it as `DPoP`, with a proof.",
            allow_bearer=allow_bearer,
        )
    if not bound and credentials.scheme is Scheme.DPOP:
        raise AccessTokenRejected(
            "This access token is not bound to a key: get one with a DPoP proof.",
            allow_bearer=allow_bearer,
        )


def _presented_token(authorizations: list[bytes], allow_bearer: bool) -> tuple[Scheme, str]:
    if len(authorizations) > 1:
        raise AccessTokenRejected(
            "Send exactly one `Authorization` header.", allow_bearer=allow_bearer
        )
    text = authorizations[0].decode("latin-1") if authorizations else ""
    name, _, token = text.strip().partition(" ")
    token = token.strip()
    scheme = _SCHEMES.get(name.lower())
    if scheme is None or not token:
        raise AccessTokenRejected(
            "Send an access token: `Authorization: DPoP <token>`, and a proof in `DPoP`.",
            allow_bearer=allow_bearer,
            sent=False,
        )
    if scheme is Scheme.BEARER and not allow_bearer:
        raise AccessTokenRejected("Tokens are not accepted as `Bearer` here: use `DPoP`.")
    return scheme, token


_SCHEMES = {scheme.value: scheme for scheme in Scheme}


def _presented_proof(proofs: list[bytes]) -> str:
    if len(proofs) != 1:
        raise ProofRejected(f"Send exactly one `DPoP` header; there were {len(proofs)}.")
    return proofs[0].decode("latin-1").strip()
