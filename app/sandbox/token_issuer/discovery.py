"""The issuer's metadata and keys, with the members of the production document."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app.sandbox.token_issuer.forms import NO_STORE
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import ALGORITHMS
from app.sandbox.token_issuer.scopes import IDENTITY_SCOPES, OWN_SCOPES

DISCOVERY_PATH = "/.well-known/openid-configuration"

ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "end_session_endpoint": "endsession",
    "check_session_iframe": "checksession",
    "revocation_endpoint": "revocation",
    "introspection_endpoint": "introspect",
    "device_authorization_endpoint": "deviceauthorization",
    "backchannel_authentication_endpoint": "ciba",
    "pushed_authorization_request_endpoint": "par",
    "registration_endpoint": "register",
    "expired_jwks_uri": "expiredjwks",
    "available_idps": "availableidps",
}
# Named in the document as the real one names them, but not part of what the sandbox can do.
NOT_SERVED = (
    "checksession",
    "revocation",
    "introspect",
    "deviceauthorization",
    "ciba",
    "expiredjwks",
    "availableidps",
)

FACTS: dict[str, Any] = {
    "require_pushed_authorization_requests": False,
    "frontchannel_logout_supported": True,
    "frontchannel_logout_session_supported": True,
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "authorization_response_iss_parameter_supported": True,
    "request_parameter_supported": True,
    "grant_types_supported": [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ],
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "token_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ],
    "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    "code_challenge_methods_supported": ["plain", "S256"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "dpop_signing_alg_values_supported": list(ALGORITHMS),
    "request_object_signing_alg_values_supported": [*ALGORITHMS, "HS256", "HS384", "HS512"],
    "prompt_values_supported": ["none", "login", "consent", "select_account"],
    "scopes_supported": list(OWN_SCOPES),
    "claims_supported": [
        "sub",
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "client_amr",
        "helseid://claims/client/client_name",
        "helseid://claims/client/client_tenancy",
        "helseid://claims/client/claims/orgnr_parent",
        "helseid://claims/client/claims/orgnr_child",
        "helseid://claims/client/claims/orgnr_supplier",
        *[s.replace("/scopes/", "/claims/") for s in IDENTITY_SCOPES if s.startswith("helseid:")],
    ],
}


@get(DISCOVERY_PATH)
async def openid_configuration(issuer: NamedDependency[Issuer]) -> dict[str, Any]:
    addresses = {name: f"{issuer.url}/connect/{path}" for name, path in ENDPOINTS.items()}
    jwks_uri = f"{issuer.url}{DISCOVERY_PATH}/jwks"
    return {"issuer": issuer.url, "jwks_uri": jwks_uri, **addresses, **FACTS}


@get(f"{DISCOVERY_PATH}/jwks")
async def published_keys(issuer: NamedDependency[Issuer]) -> dict[str, Any]:
    return {"keys": [issuer.signing_key.public_jwk]}


@get([f"/connect/{path}" for path in NOT_SERVED])
async def not_served() -> Response[dict[str, str]]:
    body = {
        "error": "invalid_request",
        "error_description": "the sandbox's issuer does not have this endpoint",
    }
    return Response(body, status_code=400, headers=NO_STORE)
