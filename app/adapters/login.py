"""Logging a person in at the token issuer: PAR (RFC 9126), private_key_jwt and the code exchange.

A code is exchanged once and never again: when the outcome of that call is unknown, the person
logs in anew.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import stamina
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey, import_key
from msgspec import Struct, json

from app.access.access_tokens import IssuerKeys, IssuerKeysUnavailable
from app.access.id_tokens import Expected, verified_identity
from app.access.login_issuer import (
    Identity,
    IssuedCode,
    LoginRefused,
    LoginRequest,
    LoginUnavailable,
)
from app.adapters.discovery import Discovery
from app.adapters.http import Answer, Neighbour, NoAnswer

# A person waits, who would rather wait than begin again.
WITHIN = 5.0
TRIES = 2
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 10
SCOPES = "openid profile helseid://scopes/identity/security_level"
# Asked for only where Altinn is asked about persons: nobody else needs it.
PERSON_NUMBER_SCOPE = "helseid://scopes/identity/pid"
# A new login, whoever used the browser last.
NEW_LOGIN = {"prompt": "login", "max_age": "600"}

_ALGORITHMS = {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class _Pushed(Struct):
    request_uri: str


class _Tokens(Struct):
    id_token: str


class LoginKey:
    """Our own key at the issuer, from its private JWK."""

    def __init__(self, jwk: str) -> None:
        key = import_key(json.decode(jwk, type=dict[str, Any]))
        if not isinstance(key, (RSAKey, ECKey)) or not key.is_private:
            raise ValueError("The login key must be a private RSA or EC key, as a JWK.")
        kind = "RSA" if isinstance(key, RSAKey) else key.curve_name
        self._key = key
        self._alg = str(key.get("alg") or _ALGORITHMS[kind])
        self._kid = key.kid or key.thumbprint()

    def assertion(self, client_id: str, audience: str) -> str:
        """Who we are, for one request."""
        now = int(time.time())
        header = {"alg": self._alg, "kid": self._kid, "typ": "client-authentication+jwt"}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, self._key, algorithms=[self._alg])


class IssuerLogin:
    """The issuer, as `LoginIssuer` asks it."""

    def __init__(
        self,
        neighbour: Neighbour,
        discovery: Discovery,
        keys: IssuerKeys,
        *,
        client_id: str,
        key: LoginKey,
        with_person_number: bool = False,
    ) -> None:
        self._neighbour = neighbour
        self._discovery = discovery
        self._keys = keys
        self._client_id = client_id
        self._key = key
        self._scope = f"{SCOPES} {PERSON_NUMBER_SCOPE}" if with_person_number else SCOPES

    async def begin(self, request: LoginRequest) -> str:
        form = {
            "response_type": "code",
            "redirect_uri": request.redirect_uri,
            "scope": self._scope,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": request.code_challenge,
            "code_challenge_method": "S256",
            "ui_locales": request.language,
            **NEW_LOGIN,
        }
        try:
            answer = await self._pushed(form)
            if answer.status not in (200, 201):
                raise NoAnswer(f"PAR was answered with {answer.status}")
            pushed = answer.decoded(_Pushed)
            authorize = await self._discovery.endpoint("authorization_endpoint")
        except NoAnswer as error:
            raise LoginUnavailable(f"the login could not begin: {error}") from error
        query = urlencode({"client_id": self._client_id, "request_uri": pushed.request_uri})
        return f"{authorize}{'&' if '?' in authorize else '?'}{query}"

    async def finish(self, code: IssuedCode) -> Identity:
        form = {
            "grant_type": "authorization_code",
            "code": code.code,
            "redirect_uri": code.redirect_uri,
            "code_verifier": code.code_verifier,
        }
        try:
            answer = await self._post("token_endpoint", form)
            if answer.status == 429:
                raise NoAnswer("status 429")
            if answer.status != 200:
                raise LoginRefused(f"the code exchange was answered with {answer.status}")
            tokens = answer.decoded(_Tokens)
        except NoAnswer as error:
            raise LoginUnavailable(f"the code exchange: {error}") from error
        expected = Expected(issuer=self._neighbour.url, client_id=self._client_id, nonce=code.nonce)
        try:
            return await verified_identity(
                tokens.id_token, keys=self._keys, expected=expected, now=datetime.now(UTC)
            )
        except IssuerKeysUnavailable:
            raise LoginUnavailable("the issuer's keys cannot be had") from None

    async def _pushed(self, form: dict[str, str]) -> Answer:
        async for attempt in stamina.retry_context(
            on=NoAnswer, attempts=TRIES, timeout=None, wait_initial=0.1, wait_max=0.3
        ):
            with attempt:
                return await self._post("pushed_authorization_request_endpoint", form)
        raise AssertionError("the last try either returns or raises")

    async def _post(self, endpoint: str, form: dict[str, str]) -> Answer:
        """One call, with an assertion of its own."""
        url = await self._discovery.endpoint(endpoint)
        credentials = {
            "client_id": self._client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._key.assertion(self._client_id, self._neighbour.url),
        }
        return await self._neighbour.ask(
            "POST",
            url,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            content=urlencode({**form, **credentials}).encode(),
        )
