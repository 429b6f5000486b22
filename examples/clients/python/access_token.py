"""A token from the token issuer: private_key_jwt, bound to the key by DPoP, with the nonce."""

import json
import time
from typing import TypedDict
from urllib.parse import urlencode
from uuid import uuid4

import urllib3
from dpop import proof
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT_SCOPE = "nhn:selvbetjening/client"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ATTEMPTS = 5


class Answer(TypedDict, total=False):
    access_token: str
    error: str
    error_description: str


class TokenRefused(Exception):
    """The issuer's own words: `error` and `error_description`."""


def access_token(issuer: str, client_id: str, key: ECKey, scope: str = CLIENT_SCOPE) -> str:
    """The first answer is the issuer's nonce; a proof that holds it gets the token."""
    url = f"{issuer}/connect/token"
    nonce: str | None = None
    attempts = 0
    while True:
        attempts += 1
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(issuer, client_id, key),
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "DPoP": proof(key, "POST", url, nonce=nonce),
        }
        response = urllib3.request("POST", url, headers=headers, body=urlencode(form))
        answer: Answer = json.loads(response.data)
        if response.status == 200:
            return answer["access_token"]
        nonce = response.headers.get("DPoP-Nonce")
        if answer.get("error") != "use_dpop_nonce" or nonce is None or attempts == ATTEMPTS:
            raise TokenRefused(f"{answer.get('error')}: {answer.get('error_description')}")


def assertion(issuer: str, client_id: str, key: ECKey) -> str:
    """Says who asks. The issuer takes it once, and for a few seconds."""
    now = int(time.time())
    header = {"alg": "ES256", "typ": "client-authentication+jwt", "kid": key.thumbprint()}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + 10,
    }
    return jwt.encode(header, claims, key)
