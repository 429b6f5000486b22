"""Asking the token issuer for a token, in the ways of the real clients."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2

MakeForm = Callable[[], Mapping[str, str]]
MakeProof = Callable[[str | None], str]
IsChallenge = Callable[[httpx2.Response], bool]


def discover(http: httpx2.Client, issuer: str) -> dict[str, Any]:
    answer = http.get(f"{issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert document["issuer"] == issuer
    return document


def is_nonce_challenge(answer: httpx2.Response) -> bool:
    """As most read it: the error, and the header with it."""
    return (
        answer.status_code == 400
        and answer.json()["error"] == "use_dpop_nonce"
        and "DPoP-Nonce" in answer.headers
    )


def ask_with_proof(
    http: httpx2.Client,
    endpoint: str,
    form: MakeForm,
    proof: MakeProof,
    *,
    is_challenge: IsChallenge = is_nonce_challenge,
) -> httpx2.Response:
    """Once without a nonce, and again with the one that is answered, and a new assertion."""
    first = http.post(endpoint, data=form(), headers={"DPoP": proof(None)})
    if not is_challenge(first):
        return first
    nonce = first.headers["DPoP-Nonce"]
    return http.post(endpoint, data=form(), headers={"DPoP": proof(nonce)})
