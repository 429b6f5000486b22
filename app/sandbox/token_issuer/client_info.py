"""POST /connect/clientinfo and /connect/userinfo: what a token's holder may read of itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest
from app.sandbox.token_issuer.grants import REFRESH_LIFE
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.scopes import CLIENT_INFO, OWN_SCOPES
from app.sandbox.token_issuer.tokens import ACCESS_TOKEN_TYP, LIFE

SCHEMES = ("bearer", "dpop")
PERSONAL = ("name", "given_name", "family_name")


@route("/connect/clientinfo", http_method=["GET", "POST"], status_code=200)
async def client_info(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    now = datetime.now(UTC)
    claims = _token_claims(request, issuer, now)
    client = issuer.clients.in_effect(str(claims.get("client_id")), now) if claims else None
    if claims is None or client is None or CLIENT_INFO not in claims["scope"]:
        return _refusal(f"a token with the scope {CLIENT_INFO} is needed")
    return Response(_described(client), headers=NO_STORE)


@route("/connect/userinfo", http_method=["GET", "POST"], status_code=200)
async def user_info(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    claims = _token_claims(request, issuer, datetime.now(UTC))
    if claims is None or "openid" not in claims["scope"]:
        return _refusal("a token with the scope openid is needed")
    asked = [scope.replace("://scopes/", "://claims/") for scope in claims["scope"]]
    names = [*asked, *(PERSONAL if "profile" in asked else ())]
    values = {name: claims[name] for name in names if name in claims}
    return Response({"sub": claims["sub"], **values}, headers=NO_STORE)


def _token_claims(
    request: IssuerRequest, issuer: Issuer, now: datetime
) -> Mapping[str, Any] | None:
    """The proof is not looked at: what is read here is the holder's own."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in SCHEMES:
        return None
    return issuer.signing_key.live_claims_of(token, typ=ACCESS_TOKEN_TYP, now=now)


def _refusal(description: str) -> Response[dict[str, Any]]:
    body = {"error": "invalid_token", "error_description": description}
    headers = NO_STORE | {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Response(body, status_code=401, headers=headers)


def _described(client: Client) -> dict[str, Any]:
    metadata = client.metadata
    return {
        "ClientId": client.client_id,
        "ClientName": metadata.client_name,
        "Created": client.created.isoformat(),
        "Updated": client.updated.isoformat(),
        "RequirePkce": True,
        "AllowedGrantTypes": metadata.grant_types,
        "AllowedScopes": [*client.api_scopes, *OWN_SCOPES],
        "AllowedIdentityProviders": [],
        "RedirectUris": metadata.redirect_uris,
        "PostLogoutRedirectUris": metadata.post_logout_redirect_uris,
        "AccessTokenLifetime": int(LIFE.total_seconds()),
        "IdentityTokenLifetime": int(LIFE.total_seconds()),
        "AbsoluteRefreshTokenLifetime": int(REFRESH_LIFE.total_seconds()),
        "RefreshTokenUsageType": "Reusable",
        "Secrets": [
            {
                "Kid": key.kid or key.thumbprint,
                "Expiration": key.ends.isoformat() if key.ends else None,
            }
            for key in client.keys
        ],
    }
