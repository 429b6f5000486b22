"""Everything below /maskinporten."""

import secrets
from datetime import UTC, datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide

from app.sandbox.maskinporten.assertions import Asked, read_assertion
from app.sandbox.maskinporten.maskinporten import TOKEN_TYP, Maskinporten, life_of
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, oauth_error, read_form
from app.sandbox.token_issuer.jose import ALGORITHMS

PATH = "/maskinporten"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@get("/.well-known/oauth-authorization-server")
async def metadata(maskinporten: NamedDependency[Maskinporten]) -> dict[str, Any]:
    return {
        "issuer": maskinporten.url,
        "token_endpoint": maskinporten.token_endpoint,
        "jwks_uri": f"{maskinporten.url}jwks",
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


@get("/jwks")
async def published_keys(maskinporten: NamedDependency[Maskinporten]) -> dict[str, Any]:
    return {"keys": [maskinporten.signing_key.public_jwk]}


@post("/token", status_code=200)
async def token(
    request: IssuerRequest, maskinporten: NamedDependency[Maskinporten]
) -> Response[dict[str, Any]]:
    form = await read_form(request)
    if form.required("grant_type") != GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}")
    now = datetime.now(UTC)
    asked = read_assertion(maskinporten, form.required("assertion"), now)
    answer = {
        "access_token": maskinporten.signing_key.sign(
            _claims(maskinporten, asked, now), typ=TOKEN_TYP
        ),
        "token_type": "Bearer",
        "expires_in": asked.client.token_life_seconds,
        "scope": " ".join(asked.scopes),
    }
    return Response(answer, headers=NO_STORE)


def _claims(maskinporten: Maskinporten, asked: Asked, now: datetime) -> dict[str, Any]:
    return {
        "iss": maskinporten.url,
        "iat": int(now.timestamp()),
        "exp": int((now + life_of(asked.client)).timestamp()),
        "jti": secrets.token_urlsafe(32),
        "client_id": asked.client.client_id,
        "client_amr": "private_key_jwt",
        "token_type": "Bearer",
        "scope": " ".join(asked.scopes),
        "consumer": {
            "authority": "iso6523-actorid-upis",
            "ID": f"0192:{asked.client.organization_number}",
        },
        "consumer_prefix": list(asked.client.consumer_prefixes),
    }


def maskinporten_router(maskinporten: Maskinporten) -> Router:
    return Router(
        path=PATH,
        route_handlers=[metadata, published_keys, token],
        dependencies={"maskinporten": Provide(lambda: maskinporten, sync_to_thread=False)},
        exception_handlers={OAuthError: oauth_error},
        include_in_schema=False,
    )
