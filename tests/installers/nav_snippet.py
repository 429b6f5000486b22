"""A public Kotlin file of NAV: it makes a draft with three fields, and prints the link."""

import json
from typing import Any
from uuid import uuid4

import httpx2

from tests.installers.keys import InstallersKey, rsa_key
from tests.sandboxes import Ready

REDIRECT = "http://localhost:8080/client-confirm"


def new_key() -> InstallersKey:
    return rsa_key(2048, "RS256", kid=str(uuid4()), use="sig")


def create_draft(
    service: Ready, http: httpx2.Client, key: InstallersKey, **changes: Any
) -> tuple[str, httpx2.Response]:
    """What is printed, and the answer that it comes from."""
    body = {
        "organizationNumber": "310000019",
        "publicJwk": json.dumps(key.members),
        "postClientConfirmationRedirectUri": REDIRECT,
    }
    answer = http.post(
        f"{service.base_url}/v1/client-drafts",
        json=body | changes,
        headers={"api-key": service.api_key, "Accept": "*/*"},
    )
    return _printed(service, answer), answer


def _printed(service: Ready, answer: httpx2.Response) -> str:
    if answer.is_success:
        return f"{service.base_url}/confirm-client/{answer.json()['clientId']}"
    if answer.status_code == 400:
        problem = answer.json()
        return f"{problem['property']}: {problem['message']}"
    return f"{answer.status_code} {answer.text}"
