"""Tokens for Altinn: an assertion to Maskinporten, and its token exchanged for Altinn's own.

A token is kept until a minute before its end. One refresh at a time serves all who want it, and
each is bounded in time, so that a stuck one never blocks the next.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey, import_key
from msgspec import DecodeError, Struct, json

from app.adapters.http import Neighbour, NoAnswer

WITHIN = 3.0
REFRESH_WITHIN = 8.0
ASSERTION_SECONDS = 60
RENEWED_BEFORE_END = 60.0
LONGEST_TOKEN = 16_384
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "/authentication/api/v1/exchange/maskinporten"

_ALGORITHMS = {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class _Issued(Struct):
    access_token: str


class _Claims(Struct):
    exp: float


class _Held(Struct, frozen=True):
    token: str
    until: float


class MaskinportenKey:
    """Our own key at Maskinporten, from its private JWK."""

    def __init__(self, jwk: str) -> None:
        key = import_key(json.decode(jwk, type=dict[str, Any]))
        if not isinstance(key, (RSAKey, ECKey)) or not key.is_private:
            raise ValueError("The key for Maskinporten must be a private RSA or EC key, as a JWK.")
        kind = "RSA" if isinstance(key, RSAKey) else key.curve_name
        self._key = key
        self._alg = str(key.get("alg") or _ALGORITHMS[kind])
        self._kid = key.kid or key.thumbprint()

    def assertion(self, *, client_id: str, audience: str, scope: str, now: float) -> str:
        header = {"alg": self._alg, "kid": self._kid}
        claims = {
            "iss": client_id,
            "aud": audience,
            "scope": scope,
            "jti": secrets.token_urlsafe(24),
            "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, self._key, algorithms=[self._alg])


class AltinnTokens:
    """Altinn's tokens, one for each scope. `maskinporten` is reached at the issuer's address."""

    def __init__(
        self,
        maskinporten: Neighbour,
        altinn: Neighbour,
        *,
        client_id: str,
        key: MaskinportenKey,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._maskinporten = maskinporten
        self._altinn = altinn
        self._client_id = client_id
        self._key = key
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._under_way: dict[str, asyncio.Task[str]] = {}

    async def token(self, scope: str) -> str:
        """A token that is good for a while yet, or `NoAnswer`."""
        held = self._held.get(scope)
        if held is not None and self._clock() < held.until - RENEWED_BEFORE_END:
            return held.token
        task = self._under_way.get(scope)
        if task is None:
            task = asyncio.create_task(self._refreshed(scope), name="token for Altinn")
            self._under_way[scope] = task
            task.add_done_callback(lambda done: self._done(scope, done))
        # One who gives up must not take the token from the others.
        return await asyncio.shield(task)

    def forget(self, scope: str, token: str) -> None:
        """Altinn does not take it any longer. A newer one stays."""
        held = self._held.get(scope)
        if held is not None and held.token == token:
            del self._held[scope]

    def _done(self, scope: str, task: asyncio.Task[str]) -> None:
        del self._under_way[scope]
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any longer

    async def _refreshed(self, scope: str) -> str:
        try:
            async with asyncio.timeout(REFRESH_WITHIN):
                token = await self._exchanged(await self._issued(scope))
        except TimeoutError:
            raise NoAnswer(f"no token within {REFRESH_WITHIN} s") from None
        self._held[scope] = _Held(token, _end_of(token))
        return token

    async def _issued(self, scope: str) -> str:
        # The real issuer's name ends with a slash, which a setting cannot.
        issuer = self._maskinporten.url.rstrip("/") + "/"
        assertion = self._key.assertion(
            client_id=self._client_id, audience=issuer, scope=scope, now=self._clock()
        )
        answer = await self._maskinporten.ask(
            "POST",
            f"{issuer}token",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            content=urlencode({"grant_type": GRANT_TYPE, "assertion": assertion}).encode(),
        )
        if answer.status != 200:
            raise NoAnswer(f"Maskinporten answered {answer.status}")
        return answer.decoded(_Issued).access_token

    async def _exchanged(self, token: str) -> str:
        answer = await self._altinn.ask(
            "GET", self._altinn.url + EXCHANGE, headers={"Authorization": f"Bearer {token}"}
        )
        if answer.status != 200:
            raise NoAnswer(f"Altinn's exchange answered {answer.status}")
        # A bare token; some gateways make a JSON string of it.
        text = answer.content.decode("ascii", "replace").strip().strip('"')
        if not 0 < len(text) <= LONGEST_TOKEN or not text.isascii() or not text.isprintable():
            raise NoAnswer("Altinn's exchange answered with no token")
        return text


def _end_of(token: str) -> float:
    """By the token's own word, unverified: it is Altinn who has to believe it."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return json.decode(base64.urlsafe_b64decode(padded), type=_Claims).exp
    except (IndexError, ValueError, DecodeError) as error:
        raise NoAnswer("Altinn's token cannot be read") from error
