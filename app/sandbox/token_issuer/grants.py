"""The token endpoint's three grants: who asks, for which scopes, on whose behalf."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from app.sandbox.token_issuer.assertions import authenticate, check_grant_type
from app.sandbox.token_issuer.authorization_details import (
    read_organizations,
    refuse_details_in_code_flow,
)
from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.delegated_scopes import rejected_scopes
from app.sandbox.token_issuer.errors import OAuthError, invalid_request
from app.sandbox.token_issuer.forms import Form
from app.sandbox.token_issuer.grant_state import Organizations, UserGrant
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.proofs import check_proof
from app.sandbox.token_issuer.scopes import (
    CLIENT_INFO,
    DPOP_ONLY,
    IDENTITY_SCOPES,
    OFFLINE_ACCESS,
    asked_scopes,
    narrowed_to,
    refuse_scopes,
)
from app.sandbox.token_issuer.tokens import LIFE, Wanted, access_token, id_token

REFRESH_LIFE = timedelta(hours=10)


class TokenAnswer(Struct, frozen=True, kw_only=True):
    access_token: str
    token_type: str
    scope: str
    expires_in: int = int(LIFE.total_seconds())
    rejected_scope: str | UnsetType = UNSET
    id_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    rt_expires_in: int | UnsetType = UNSET


class Asking(Struct, frozen=True):
    """A request whose client and proof are known to be good."""

    client: Client
    assertion: Mapping[str, Any]
    jkt: str | None
    form: Form
    now: datetime


def answer_token_request(
    issuer: Issuer, form: Form, proofs: list[str], now: datetime
) -> TokenAnswer:
    grant_type = form.required("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError("unsupported_grant_type", f"{grant_type} is not supported")
    client, assertion = authenticate(issuer, form, now)
    check_grant_type(client, grant_type)
    jkt = check_proof(issuer, client, proofs, issuer.token_endpoint, now)
    return grant(issuer, Asking(client, assertion, jkt, form, now))


def _by_client_credentials(issuer: Issuer, asking: Asking) -> TokenAnswer:
    scopes = asked_scopes(asking.form.get("scope")) or asking.client.api_scopes
    if set(scopes) & set(IDENTITY_SCOPES):
        raise OAuthError("invalid_scope", "scopes about a person need a person who logs in")
    refuse_scopes(scopes, [*asking.client.api_scopes, CLIENT_INFO])
    organizations = read_organizations(asking.client, asking.assertion)
    return _answer(issuer, asking, scopes, organizations)


def _by_code(issuer: Issuer, asking: Asking) -> TokenAnswer:
    refuse_details_in_code_flow(asking.assertion)
    grant = issuer.codes.take(asking.form.required("code"), asking.now)
    if grant is None or grant.request.client_id != asking.client.client_id:
        raise OAuthError("invalid_grant", "the code is unknown, used or too old")
    request = grant.request
    if asking.form.required("redirect_uri") != request.redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri is another than in the request")
    if not _verifies(asking.form.required("code_verifier"), request.code_challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge")
    if request.jkt not in (None, asking.jkt):
        raise OAuthError("invalid_grant", "the code is bound to another DPoP key")
    answer = _answer(issuer, asking, request.scopes, request.organizations, grant)
    if OFFLINE_ACCESS not in request.scopes:
        return answer
    refresh_token = secrets.token_urlsafe(32)
    until = asking.now + REFRESH_LIFE
    issuer.refresh_tokens.put(refresh_token, grant, until=until, now=asking.now)
    return _with_refresh_token(answer, refresh_token)


def _by_refresh_token(issuer: Issuer, asking: Asking) -> TokenAnswer:
    """The same refresh token serves again: clients keep one and fetch a token per audience."""
    refresh_token = asking.form.required("refresh_token")
    grant = issuer.refresh_tokens.get(refresh_token, asking.now)
    if grant is None or grant.request.client_id != asking.client.client_id:
        raise OAuthError("invalid_grant", "the refresh token is unknown or too old")
    scopes = asked_scopes(asking.form.get("scope")) or grant.request.scopes
    refuse_scopes(scopes, grant.request.scopes)
    # What the client may no longer have is not renewed either.
    refuse_scopes(scopes, [*asking.client.api_scopes, *IDENTITY_SCOPES])
    organizations = read_organizations(asking.client, asking.assertion)
    if organizations == Organizations():
        organizations = grant.request.organizations
    answer = _answer(issuer, asking, scopes, organizations, grant)
    return _with_refresh_token(answer, refresh_token)


GRANTS = {
    "client_credentials": _by_client_credentials,
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
}


def _answer(
    issuer: Issuer,
    asking: Asking,
    scopes: list[str],
    organizations: Organizations,
    grant: UserGrant | None = None,
) -> TokenAnswer:
    asked = narrowed_to(scopes, asking.form.resources)
    rejected = rejected_scopes(asking.client, organizations.parent, asked)
    given = [scope for scope in asked if scope not in rejected]
    if not given:
        raise OAuthError("invalid_scope", "no scope is left: " + (" ".join(asked) or "none asked"))
    _check_proof_is_there(asking, given)
    wanted = Wanted(
        client=asking.client, scopes=given, organizations=organizations, jkt=asking.jkt, grant=grant
    )
    token = access_token(issuer, wanted, asking.now)
    return TokenAnswer(
        access_token=token,
        token_type="Bearer" if asking.jkt is None else "DPoP",
        scope=" ".join(given),
        rejected_scope=" ".join(rejected) or UNSET,
        id_token=id_token(issuer, grant, token, asking.now)
        if grant and "openid" in given
        else UNSET,
    )


def _check_proof_is_there(asking: Asking, scopes: list[str]) -> None:
    if asking.jkt is not None:
        return
    if asking.client.metadata.dpop_bound_access_tokens:
        raise invalid_request("this client must send a DPoP proof")
    bound = sorted(DPOP_ONLY & set(scopes))
    if bound:
        raise invalid_request(f"a DPoP proof is needed for: {' '.join(bound)}")


def _verifies(verifier: str, challenge: str) -> bool:
    """PKCE with S256 (RFC 7636 section 4.6)."""
    digest = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())


def _with_refresh_token(answer: TokenAnswer, refresh_token: str) -> TokenAnswer:
    life = int(REFRESH_LIFE.total_seconds())
    return replace(answer, refresh_token=refresh_token, rt_expires_in=life)
