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
LEARNS_WITHIN_SECONDS = 15.0
AGAIN = {
    "use_dpop_nonce": "The issuer wants its nonce in the proof, as always at first. So once more:",
    "invalid_client": "The issuer has not heard of it yet. Again, a second later:",
}


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
        answer = self._asked(method, url, headers=headers, json=json, form=form, told=told)
        if answer.status_code != expected:
            raise _other_answer(answer, expected)
        if told:
            self.tell.answered(answer, of_answer)
        return answer

    def _asked(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        told: bool,
    ) -> httpx2.Response:
        if told:
            self.tell.sent(method, url, headers or {}, json or form)
        try:
            return self.http.request(method, url, headers=headers, json=json, data=form)
        except httpx2.HTTPError as error:
            raise DemoFailed(f"No answer from {url}: {type(error).__name__} {error}") from error

    def call(self, method: str, path: str, *, expected: int = 200, **more: Any) -> httpx2.Response:
        """Ask the service as the client, with the token and a new proof."""
        url = f"{self.places.base_url}/v1/{path}"
        headers = {
            "Authorization": f"DPoP {self.token}",
            "DPoP": self.proof(method, url.partition("?")[0], token=self.token),
        }
        return self.send(method, url, expected=expected, headers=headers, **more)

    def ask_for_token(
        self,
        *,
        scope: str = CLIENT_SCOPE,
        expected: int,
        of_answer: Sequence[str] = (),
        told: bool = True,
    ) -> httpx2.Response:
        """What the issuer answers in the end.

        It may want a newer nonce at any time, and may learn of a client or a key some seconds late.
        """
        until = time.monotonic() + LEARNS_WITHIN_SECONDS
        while True:
            answer = self._token_asked(scope, told=told)
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            error = answer.json().get("error")
            wants_nonce = error == "use_dpop_nonce"
            if answer.status_code == expected and not wants_nonce:
                if told:
                    self.tell.answered(answer, of_answer)
                return answer
            if error not in AGAIN or time.monotonic() > until:
                raise _other_answer(answer, expected)
            if told:
                self.tell.answered(answer, ["error", "DPoP-Nonce"] if wants_nonce else ["error"])
                self.tell.say(AGAIN[error])
            if not wants_nonce:
                time.sleep(1)  # it does not say when it will know

    def _token_asked(self, scope: str, *, told: bool) -> httpx2.Response:
        url = f"{self.places.issuer}/connect/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        headers = {"DPoP": self.proof("POST", url, nonce=self.nonce)}
        return self._asked("POST", url, headers=headers, form=form, told=told)

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


def _other_answer(answer: httpx2.Response, expected: int) -> DemoFailed:
    asked = answer.request
    return DemoFailed(
        f"{asked.method} {asked.url} was answered {answer.status_code}, not {expected}: "
        f"{answer.text}"
    )


def as_text(jwk: Mapping[str, Any]) -> str:
    """A draft takes the key as JSON in a string, as HelseID Selvbetjening does."""
    return msgspec.json.encode(jwk).decode()


def _hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
