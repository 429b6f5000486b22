"""Access tokens and proofs for trying out: whole, or broken in a way that has a name."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from joserfc import jws
from joserfc.jwk import ECKey
from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.sandbox.neighbours import Neighbours
from app.sandbox.token_issuer.grant_state import Organizations
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import REGISTRY, read_unverified
from app.sandbox.token_issuer.proofs import PROOF_TYP
from app.sandbox.token_issuer.signing import SigningKey
from app.sandbox.token_issuer.tokens import ACCESS_TOKEN_TYP, Wanted, access_token

LONG_AGO, LATER = 3_600, 600
OTHER = "https://other.example"

Claims = dict[str, Any]

BROKEN_TOKENS: Mapping[str, Callable[[Claims], Claims]] = {
    "expired": lambda claims: {name: claims[name] - LONG_AGO for name in ("iat", "nbf", "exp")},
    "notYetValid": lambda claims: {"nbf": claims["nbf"] + LATER},
    "wrongIssuer": lambda _: {"iss": OTHER},
    "wrongAudience": lambda _: {"aud": "another:api"},
    "noScope": lambda _: {"scope": []},
    "noBinding": lambda _: {"cnf": None},
    "otherBinding": lambda _: {"cnf": {"jkt": ECKey.generate_key("P-256").thumbprint()}},
    "wrongKey": lambda _: {},
}
BROKEN_PROOFS: Mapping[str, Callable[[Claims], Claims]] = {
    "proofOld": lambda claims: {"iat": claims["iat"] - LONG_AGO},
    "proofAhead": lambda claims: {"iat": claims["iat"] + LATER},
    "proofWrongMethod": lambda _: {"htm": "TRACE"},
    "proofWrongUrl": lambda _: {"htu": f"{OTHER}/v1/client"},
    "proofOfOtherToken": lambda _: {"ath": _hash("another token")},
    "proofWithoutJti": lambda _: {"jti": None},
    "proofWrongTyp": lambda _: {},
    "proofWithPrivateKey": lambda _: {},
    "proofWrongSignature": lambda _: {},
}
BROKEN = (*BROKEN_TOKENS, *BROKEN_PROOFS)


class WantedToken(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    client_id: str
    method: Annotated[str, Meta(description="Of the request that the proof is for.")] = "GET"
    url: Annotated[
        str | None, Meta(description="Of that request; the service's `/v1/client` when silent.")
    ] = None
    scopes: tuple[str, ...] = ("nhn:selvbetjening/client",)
    broken: Annotated[
        str | None,
        Meta(
            description="Nothing is when silent. Else one of "
            + ", ".join(f"`{name}`" for name in BROKEN)
            + ". A proof that is used twice is a whole one that is sent twice."
        ),
    ] = None


class MadeToken(Struct, frozen=True, rename="camel"):
    access_token: str
    proof: str
    headers: Annotated[dict[str, str], Meta(description="To be sent as they are.")]


@post("/tokens", status_code=200, summary="Make an access token and a proof, whole or broken")
async def make_token(
    data: JSONBody[WantedToken],
    issuer: NamedDependency[Issuer],
    neighbours: NamedDependency[Neighbours],
) -> MadeToken:
    if data.broken is not None and data.broken not in BROKEN:
        raise HTTPException(status_code=400, detail=f"`broken` is one of {', '.join(BROKEN)}.")
    key = ECKey.generate_key("P-256")
    token = _token(issuer, data, key)
    proof = _proof(key, token, data.method, data.url or f"{neighbours.base_url}/v1/client", data)
    return MadeToken(token, proof, {"Authorization": f"DPoP {token}", "DPoP": proof})


def _token(issuer: Issuer, wanted: WantedToken, key: ECKey) -> str:
    now = datetime.now(UTC)
    client = issuer.clients.in_effect(wanted.client_id, now)
    if client is None:
        raise NotFoundException("The token issuer does not know this client.")
    whole = access_token(
        issuer,
        Wanted(
            client=client,
            scopes=list(wanted.scopes),
            organizations=Organizations(),
            jkt=key.thumbprint(),
        ),
        now,
    )
    change = BROKEN_TOKENS.get(wanted.broken or "")
    if change is None:
        return whole
    claims = dict(read_unverified(whole).claims)
    signing_key = SigningKey(now) if wanted.broken == "wrongKey" else issuer.signing_key
    return signing_key.sign(_without_none(claims | change(claims)), typ=ACCESS_TOKEN_TYP)


def _proof(key: ECKey, token: str, method: str, url: str, wanted: WantedToken) -> str:
    claims: Claims = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "ath": _hash(token),
    }
    change = BROKEN_PROOFS.get(wanted.broken or "", _as_it_is)
    header = {
        "typ": "JWT" if wanted.broken == "proofWrongTyp" else PROOF_TYP,
        "alg": "ES256",
        "jwk": key.as_dict(private=wanted.broken == "proofWithPrivateKey"),
    }
    signer = ECKey.generate_key("P-256") if wanted.broken == "proofWrongSignature" else key
    payload = json.dumps(_without_none(claims | change(claims)))
    return jws.serialize_compact(header, payload, signer, registry=REGISTRY)


def _as_it_is(_: Claims) -> Claims:
    return {}


def _hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _without_none(claims: Claims) -> Claims:
    return {name: value for name, value in claims.items() if value is not None}
