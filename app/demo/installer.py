"""The installer: a key, a client, and the requests that a supplier's own would make."""

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx2
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from app.demo.failure import DemoFailed
from app.demo.places import Places
from app.demo.telling import Teller

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_SECONDS = 10
CLIENT_SCOPE = "nhn:selvbetjening/client"


class Installer:
    """Holds what an installation holds: its key, its client's id, and a token for a while."""

    def __init__(self, places: Places, http: httpx2.Client, teller: Teller) -> None:
        self.places = places
        self.http = http
        self.tell = teller
        self.key = new_key()
        self.client_id = ""
        self.token = ""
        self.nonce: str | None = None

    @property
    def public_jwk(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "alg": "ES256"}

    def send(
        self,
        method: str,
        url: str,
        *,
        expected: int,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        of_answer: Sequence[str] = (),
        told: bool = True,
    ) -> httpx2.Response:
        """Send it and tell of it."""
        if told:
            self.tell.sent(method, url, headers or {}, json or form)
        try:
            answer = self.http.request(method, url, headers=headers, json=json, data=form)
        except httpx2.HTTPError as error:
            raise DemoFailed(f"No answer from {url}: {type(error).__name__} {error}") from error
        if answer.status_code != expected:
            raise DemoFailed(
                f"{method} {url} was answered {answer.status_code}, not {expected}: {answer.text}"
            )
        if told:
            self.tell.answered(answer, of_answer)
        return answer

    def call(self, method: str, path: str, *, expected: int = 200, **more: Any) -> httpx2.Response:
        """Ask the service as the client, with the token and a new proof."""
        url = f"{self.places.base_url}/v1/{path}"
        headers = {
            "Authorization": f"DPoP {self.token}",
            "DPoP": self.proof(method, url.partition("?")[0], token=self.token),
        }
        return self.send(method, url, expected=expected, headers=headers, **more)

    def ask_for_token(self, *, scope: str = CLIENT_SCOPE, **expected: Any) -> httpx2.Response:
        url = f"{self.places.issuer}/connect/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        headers = {"DPoP": self.proof("POST", url, nonce=self.nonce)}
        return self.send("POST", url, headers=headers, form=form, **expected)

    def assertion(self) -> str:
        """Says to the token issuer: I am this client, and I hold its key."""
        now = int(time.time())
        header = {"alg": "ES256", "typ": "client-authentication+jwt", "kid": self.key.kid}
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.places.issuer,
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_LIFE_SECONDS,
        }
        return jwt.encode(header, claims, self.key)

    def key_proof(self, url: str, **more: str) -> str:
        """Says of one call about a key: whoever sends it holds that key."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": url,
            "jti": str(uuid4()),
            "iat": int(time.time()),
            **more,
        }
        return jwt.encode({"typ": "key-proof+jwt", "alg": "ES256"}, claims, self.key)

    def proof(
        self, method: str, url: str, *, nonce: str | None = None, token: str | None = None
    ) -> str:
        """Says of one request: whoever sends it holds the key that its token is bound to."""
        public = self.key.as_dict(private=False)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        claims: dict[str, Any] = {
            "jti": str(uuid4()),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
        }
        if nonce:
            claims["nonce"] = nonce
        if token:
            claims["ath"] = _hash(token)
        return jwt.encode({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}, claims, self.key)


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def as_text(jwk: Mapping[str, Any]) -> str:
    """A draft takes the key as JSON in a string, as HelseID Selvbetjening does."""
    return msgspec.json.encode(jwk).decode()


def _hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
