"""What the issuer signs, with HelseID's claims."""

import base64
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec import Struct

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.grant_state import Organizations, UserGrant
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.scopes import api_scopes, audience_of

LIFE = timedelta(seconds=600)
ACCESS_TOKEN_TYP = "at+jwt"
ID_TOKEN_TYP = "JWT"

CLIENT = "helseid://claims/client/"
IDENTITY = "helseid://claims/identity/"
HPR_NUMBER = "helseid://claims/hpr/hpr_number"
OWN_CLAIM = "/client/claims/"


class Wanted(Struct, frozen=True, kw_only=True):
    """An access token that nothing speaks against any more."""

    client: Client
    scopes: list[str]
    organizations: Organizations
    jkt: str | None
    grant: UserGrant | None = None


def access_token(issuer: Issuer, wanted: Wanted, now: datetime) -> str:
    audiences = _audiences(issuer, wanted.scopes)
    claims = {
        **_frame(issuer, now),
        "aud": audiences[0] if len(audiences) == 1 else audiences,
        "client_id": wanted.client.client_id,
        "jti": secrets.token_hex(16).upper(),
        # A list, as the real server's tokens have it; the answer beside them holds a string.
        "scope": wanted.scopes,
        "client_amr": "private_key_jwt",
        **_client_claims(wanted, audiences),
    }
    if wanted.jkt is not None:
        claims["cnf"] = {"jkt": wanted.jkt}
    if wanted.grant is not None:
        claims |= _session_claims(wanted.grant) | identity_claims(wanted.grant)
    return issuer.signing_key.sign(claims, typ=ACCESS_TOKEN_TYP)


def id_token(issuer: Issuer, grant: UserGrant, token: str, now: datetime) -> str:
    half_hash = sha256(token.encode()).digest()[:16]
    claims = {
        **_frame(issuer, now),
        "aud": grant.request.client_id,
        "at_hash": base64.urlsafe_b64encode(half_hash).rstrip(b"=").decode(),
        **_session_claims(grant),
        **asked_identity_claims(grant),
    }
    if grant.request.nonce is not None:
        claims["nonce"] = grant.request.nonce
    return issuer.signing_key.sign(claims, typ=ID_TOKEN_TYP)


def _frame(issuer: Issuer, now: datetime) -> dict[str, Any]:
    moment = int(now.timestamp())
    ends = moment + int(LIFE.total_seconds())
    return {"iss": issuer.url, "iat": moment, "nbf": moment, "exp": ends}


def _audiences(issuer: Issuer, scopes: list[str]) -> list[str]:
    names = list(dict.fromkeys(audience_of(scope) for scope in api_scopes(scopes)))
    # Tokens for the issuer's own endpoints are for the issuer.
    return names or [issuer.url]


def _client_claims(wanted: Wanted, audiences: list[str]) -> dict[str, Any]:
    metadata, organizations = wanted.client.metadata, wanted.organizations
    single = metadata.client_tenancy == "single-tenant"
    values = {
        f"{CLIENT}client_name": metadata.client_name or None,
        f"{CLIENT}client_tenancy": metadata.client_tenancy,
        f"{CLIENT}claims/orgnr_parent": (
            metadata.organization_number if single else organizations.parent
        ),
        f"{CLIENT}claims/orgnr_child": organizations.child,
        f"{CLIENT}claims/orgnr_supplier": metadata.supplier_organization_number,
        "nhn:sfm:journal-id": organizations.journal_id,
        **{
            name: value
            for name, value in metadata.client_claims.items()
            if _is_for(name, audiences)
        },
    }
    return {name: value for name, value in values.items() if value is not None}


def _is_for(claim_type: str, audiences: list[str]) -> bool:
    """A claim with an API's name in its type is that API's alone."""
    audience, found, _ = claim_type.partition(OWN_CLAIM)
    return not found or audience in audiences


def _session_claims(grant: UserGrant) -> dict[str, Any]:
    return {
        "sub": grant.person.subject,
        "auth_time": int(grant.authenticated.timestamp()),
        "idp": "sandbox-oidc",
        "amr": ["external"],
        "sid": grant.session_id,
    }


def identity_claims(grant: UserGrant) -> dict[str, Any]:
    """Everything that is known about the person, by claim."""
    person = grant.person
    given, _, family = person.name.partition(" ")
    claims = {
        "name": person.name,
        "given_name": given,
        "family_name": family,
        f"{IDENTITY}pid": person.pid,
        f"{IDENTITY}security_level": "4",
        f"{IDENTITY}assurance_level": "high",
        f"{IDENTITY}network": "internett",
    }
    if person.hpr_number is not None:
        claims[HPR_NUMBER] = person.hpr_number
    return claims


def asked_identity_claims(grant: UserGrant) -> dict[str, Any]:
    """In the identity token a claim stands only where its scope was asked for."""
    claims = identity_claims(grant)
    names = {scope.replace("://scopes/", "://claims/") for scope in grant.request.scopes}
    if "profile" in names:
        names |= {"name", "given_name", "family_name"}
    return {name: value for name, value in claims.items() if name in names}
