"""A client of the token issuer, as small as it can be, that may be told to do things wrong."""

import base64
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from app.sandbox.neighbours import Neighbours

NEIGHBOURS = Neighbours(
    neighbours_url="http://127.0.0.1:8081",
    base_url="http://127.0.0.1:8080",
    registration_token="management-credential-of-the-tests",
    login_client={
        "client_id": "the-service",
        "jwks": {"keys": []},
        "redirect_uris": ["http://127.0.0.1:8080/login/callback"],
    },
)
ISSUER = NEIGHBOURS.issuer_url
TOKEN = f"{ISSUER}/connect/token"
PAR = f"{ISSUER}/connect/par"
AUTHORIZE = f"{ISSUER}/connect/authorize"
REGISTER = f"{ISSUER}/connect/register"
CREDENTIAL = {"Authorization": f"Bearer {NEIGHBOURS.registration_token}"}
REDIRECT = "http://127.0.0.1:8765/callback"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Key = RSAKey | ECKey
EC_KEY = ECKey.generate_key("P-256")
OTHER_EC_KEY = ECKey.generate_key("P-256")
RSA_KEY = RSAKey.generate_key(2048)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class AnyHeader(JWSRegistry):
    """Signs headers that no honest client would send."""

    def check_header(self, header: Mapping[str, Any]) -> None:
        pass


REGISTRY = AnyHeader(algorithms=ALGORITHMS, strict_check_header=False)


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    return jwt.encode(
        dict(header), dict(claims), key, algorithms=ALGORITHMS, registry=REGISTRY, default_type=None
    )


def algorithm_of(key: Key) -> str:
    if isinstance(key, RSAKey):
        return "PS256"
    return {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[key.curve_name]


def details(value: str, system: str = "urn:oid:1.0.6523") -> dict[str, Any]:
    identifier = {"system": system, "type": "ENH", "value": value}
    return {
        "type": "helseid_authorization",
        "practitioner_role": {"organization": {"identifier": identifier}},
    }


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class Installer:
    """One registered client, its key, and the requests it makes."""

    def __init__(
        self, http: httpx2.AsyncClient, key: Key = EC_KEY, *, issuer: str = ISSUER
    ) -> None:
        self.http = http
        self.issuer = issuer
        self.key = key
        self.client_id = str(uuid4())
        self.metadata: dict[str, Any] = {
            "client_id": self.client_id,
            "client_name": "Fjord EPJ, Fjordbyen legesenter AS",
            "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
            "redirect_uris": [REDIRECT],
            "post_logout_redirect_uris": ["http://127.0.0.1:8765/after"],
            "scope": "nhn:selvbetjening/client nhn:msh/api",
            "jwks": {"keys": [key.as_dict(private=False)]},
            "organization_number": "310000019",
            "child_organization_numbers": ["310000175"],
            "supplier_organization_number": "310700029",
            "client_tenancy": "single-tenant",
            "client_claims": {"herid": "0"},
        }

    async def register(self, **changes: Any) -> "Installer":
        answer = await self.http.post(
            f"{self.issuer}/connect/register", json=self.metadata | changes, headers=CREDENTIAL
        )
        assert answer.status_code == 201, answer.text
        return self

    def assertion(
        self,
        *,
        header: Mapping[str, Any] | None = None,
        key: Key | None = None,
        **claims: Any,
    ) -> str:
        """A member that is None is left out."""
        signing = key or self.key
        now = int(time.time())
        standard = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_hex(8),
            "iat": now,
            "nbf": now,
            "exp": now + 10,
        }
        top = {"alg": algorithm_of(signing), "typ": "client-authentication+jwt"}
        return sign(
            without_none(top | dict(header or {})), without_none(standard | claims), signing
        )

    def form(self, **changes: str | None) -> dict[str, str]:
        standard = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "scope": "nhn:selvbetjening/client",
        }
        form = standard | changes
        form.setdefault("client_assertion", self.assertion())
        return without_none(form)

    async def send(
        self, url: str | None = None, *, proof: str | None = None, **form: str | None
    ) -> Any:
        headers = {"DPoP": proof} if proof else {}
        address = url or f"{self.issuer}/connect/token"
        return await self.http.post(address, data=self.form(**form), headers=headers)

    async def bound(
        self, *, key: Key = OTHER_EC_KEY, assertion: Mapping[str, Any] | None = None, **form: Any
    ) -> Any:
        """A DPoP token in two steps: the nonce is learnt from the first answer."""
        htu = f"{self.issuer}/connect/token"
        challenge = await self.send(proof=make_proof(key, htu=htu))
        assert challenge.status_code == 400, challenge.text
        nonce = challenge.headers["dpop-nonce"]
        own = {"client_assertion": self.assertion(**assertion)} if assertion else {}
        return await self.send(proof=make_proof(key, htu=htu, nonce=nonce), **own, **form)

    async def push(self, *, proof: str | None = None, **changes: Any) -> Any:
        self.verifier = secrets.token_urlsafe(32)
        standard = {
            "grant_type": None,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "openid profile offline_access helseid://scopes/identity/pid "
            "helseid://scopes/identity/security_level nhn:msh/api",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "state": "the-state",
            "nonce": "the-nonce",
        }
        return await self.send(f"{self.issuer}/connect/par", proof=proof, **(standard | changes))

    async def code(self, person: str = "kari", **changes: Any) -> str:
        pushed = await self.push(**changes)
        assert pushed.status_code == 201, pushed.text
        answer = await self.press(pushed.json()["request_uri"], person)
        return returned(answer)["code"]

    async def press(self, request_uri: str, person: str) -> Any:
        return await self.http.post(
            f"{self.issuer}/connect/authorize", data={"request_uri": request_uri, "person": person}
        )

    async def redeem(self, code: str, **changes: Any) -> Any:
        standard = {
            "grant_type": "authorization_code",
            "scope": None,
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        return await self.send(**(standard | changes))

    async def refresh(self, refresh_token: str, **changes: Any) -> Any:
        standard = {"grant_type": "refresh_token", "scope": None, "refresh_token": refresh_token}
        return await self.send(**(standard | changes))


def make_proof(key: Key, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    top = {"alg": algorithm_of(key), "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    standard = {"jti": secrets.token_hex(8), "htm": "POST", "htu": TOKEN, "iat": int(time.time())}
    return sign(without_none(top | dict(header or {})), without_none(standard | claims), key)


def challenge_of(verifier: str) -> str:
    digest = sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """What stands in a token, its signature aside."""
    body = token.split(".")[1]
    decoded: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(body + "=="))
    return decoded


def header_of(token: str) -> dict[str, Any]:
    top = token.split(".")[0]
    decoded: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(top + "=="))
    return decoded


def returned(answer: Any) -> dict[str, str]:
    """What the browser brings back to the client."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def assert_refused(answer: Any, error: str, text: str = "") -> None:
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["error"] == error, body
    assert text in body["error_description"], body
    # One library takes any refusal with this header for the nonce challenge.
    assert ("dpop-nonce" in answer.headers) == (error == "use_dpop_nonce")
    assert answer.headers["cache-control"] == "no-store"
