"""What a generated client lacks: a DPoP proof (RFC 9449) with every request. Copy it as it is."""

import base64
import hashlib
import time
from uuid import uuid4

from helseid_onboarding import ApiClient, Configuration, PublicJwk
from helseid_onboarding.rest import RESTResponse
from joserfc import jwt
from joserfc.jwk import ECKey


class DPoPClient(ApiClient):
    """The generated client, which says with each request that it holds the token's key."""

    def __init__(self, configuration: Configuration, key: ECKey, access_token: str) -> None:
        super().__init__(configuration)
        self.key = key
        self.access_token = access_token

    def call_api(
        self,
        method: str,
        url: str,
        header_params: dict[str, str] | None = None,
        body: object = None,
        post_params: object = None,
        _request_timeout: object = None,
    ) -> RESTResponse:
        headers = {
            **(header_params or {}),
            "Authorization": f"DPoP {self.access_token}",
            "DPoP": proof(self.key, method, url, access_token=self.access_token),
        }
        return super().call_api(method, url, headers, body, post_params, _request_timeout)


def proof(
    key: ECKey, method: str, url: str, *, access_token: str | None = None, nonce: str | None = None
) -> str:
    """For one request only: its `jti` may not be used again."""
    public = key.as_dict(private=False)
    header = {
        "typ": "dpop+jwt",
        "alg": "ES256",
        "jwk": {name: public[name] for name in ("kty", "crv", "x", "y")},
    }
    claims: dict[str, object] = {
        "jti": str(uuid4()),
        "htm": method,
        "htu": url.partition("?")[0],
        "iat": int(time.time()),
    }
    if access_token:
        digest = hashlib.sha256(access_token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if nonce:
        claims["nonce"] = nonce
    return jwt.encode(header, claims, key)


def new_key() -> ECKey:
    """The private part never leaves the machine: keep it where only the installation reads it."""
    return ECKey.generate_key("P-256", auto_kid=True)


def public_jwk(key: ECKey) -> PublicJwk:
    public = key.as_dict(private=False)
    return PublicJwk(
        kty="EC",
        crv="P-256",
        x=str(public["x"]),
        y=str(public["y"]),
        alg="ES256",
        kid=key.thumbprint(),
    )
