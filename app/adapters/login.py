"""Logging a person in at the token issuer: PAR (RFC 9126), private_key_jwt and the code exchange.

The endpoints come from discovery. A code is exchanged once and never again: when that call's
outcome is unknown the person logs in anew.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx2
import msgspec
import stamina
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey, import_key
from msgspec import Struct

from app.access.access_tokens import IssuerKeys, IssuerKeysUnavailable
from app.access.id_tokens import Expected, verified_identity
from app.access.login_issuer import (
    Identity,
    IssuedCode,
    LoginRefused,
    LoginRequest,
    LoginUnavailable,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = "openid profile helseid://scopes/identity/security_level"
# HelseID wants a new login for what is signed here, whoever used the browser last.
AGE = {"prompt": "login", "max_age": "600"}
TIMEOUT = httpx2.Timeout(5, connect=2)
ASSERTION_SECONDS = 10
DISCOVERY_SECONDS = 3600
ATTEMPTS = 2

T = TypeVar("T")

_ALGORITHMS = {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class _Metadata(Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    pushed_authorization_request_endpoint: str


class _Pushed(Struct):
    request_uri: str


class _Tokens(Struct):
    id_token: str


class _LoginKey:
    """Our own key at the issuer, from its private JWK."""

    def __init__(self, jwk: str) -> None:
        key = import_key(msgspec.json.decode(jwk, type=dict[str, Any]))
        if not isinstance(key, (RSAKey, ECKey)) or not key.is_private:
            raise ValueError("The login key must be a private RSA or EC key, as a JWK.")
        self.key = key
        kind = "RSA" if isinstance(key, RSAKey) else key.curve_name
        self.alg = str(key.get("alg") or _ALGORITHMS[kind])
        self.kid = key.kid or key.thumbprint()

    def assertion(self, client_id: str, audience: str) -> str:
        now = int(time.time())
        header = {"alg": self.alg, "kid": self.kid, "typ": "client-authentication+jwt"}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, self.key, algorithms=[self.alg])


class IssuerLogin:
    """The issuer, as `LoginIssuer` asks it."""

    def __init__(
        self, http: httpx2.AsyncClient, keys: IssuerKeys, *, issuer: str, client_id: str, jwk: str
    ) -> None:
        self._http = http
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id
        self._key = _LoginKey(jwk)
        self._known: tuple[_Metadata, float] | None = None

    async def begin(self, request: LoginRequest) -> str:
        metadata = await self._metadata()
        form = {
            "response_type": "code",
            "redirect_uri": request.redirect_uri,
            "scope": SCOPES,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": request.code_challenge,
            "code_challenge_method": "S256",
            "ui_locales": request.language,
            **AGE,
        }
        answer = await self._post(metadata.pushed_authorization_request_endpoint, form, ATTEMPTS)
        if answer.status_code not in (200, 201):
            raise LoginUnavailable(f"PAR was answered with {answer.status_code}")
        pushed = _decoded(answer.content, _Pushed)
        query = urlencode({"client_id": self._client_id, "request_uri": pushed.request_uri})
        separator = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{separator}{query}"

    async def finish(self, code: IssuedCode) -> Identity:
        metadata = await self._metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code.code,
            "redirect_uri": code.redirect_uri,
            "code_verifier": code.code_verifier,
        }
        answer = await self._post(metadata.token_endpoint, form, 1)
        if 400 <= answer.status_code < 500 and answer.status_code != 429:
            raise LoginRefused(f"the code exchange was answered with {answer.status_code}")
        if answer.status_code != 200:
            raise LoginUnavailable(f"the code exchange was answered with {answer.status_code}")
        tokens = _decoded(answer.content, _Tokens)
        expected = Expected(issuer=self._issuer, client_id=self._client_id, nonce=code.nonce)
        try:
            return await verified_identity(
                tokens.id_token, keys=self._keys, expected=expected, now=datetime.now(UTC)
            )
        except IssuerKeysUnavailable:
            raise LoginUnavailable("the issuer's keys cannot be had") from None

    async def _metadata(self) -> _Metadata:
        if self._known and time.monotonic() < self._known[1]:
            return self._known[0]
        address = f"{self._issuer}/.well-known/openid-configuration"
        request = self._http.build_request("GET", address, timeout=TIMEOUT)
        answer = await self._ask(lambda: request, ATTEMPTS)
        if answer.status_code != 200:
            raise LoginUnavailable(f"discovery was answered with {answer.status_code}")
        metadata = _decoded(answer.content, _Metadata)
        if metadata.issuer != self._issuer:
            raise LoginUnavailable("discovery names another issuer than the configured one")
        self._known = metadata, time.monotonic() + DISCOVERY_SECONDS
        return metadata

    async def _post(self, address: str, form: dict[str, str], attempts: int) -> httpx2.Response:
        return await self._ask(lambda: self._authenticated(address, form), attempts)

    def _authenticated(self, address: str, form: dict[str, str]) -> httpx2.Request:
        """Made anew for each attempt: an assertion is good for one."""
        credentials = {
            "client_id": self._client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._key.assertion(self._client_id, self._issuer),
        }
        return self._http.build_request(
            "POST", address, data={**form, **credentials}, timeout=TIMEOUT
        )

    async def _ask(self, request: Callable[[], httpx2.Request], attempts: int) -> httpx2.Response:
        """The answer; asked again only when none came at all."""
        answer: httpx2.Response | None = None
        try:
            async for attempt in stamina.retry_context(
                on=httpx2.TransportError, attempts=attempts, timeout=8, wait_max=0.5
            ):
                with attempt:
                    answer = await self._http.send(request())
        except httpx2.HTTPError as error:
            raise LoginUnavailable(f"no answer: {type(error).__name__}") from error
        assert answer is not None
        return answer


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LoginUnavailable("the answer is not what it should be") from None
