"""What of a call may be shown: nothing with which anybody could do anything."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from app.sandbox.journal.entries import Jwt

MASK = "…"
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
SECRET_NAMES = {
    "access_token",
    "refresh_token",
    "id_token",
    "client_assertion",
    "assertion",
    "client_secret",
    "code",
    "code_verifier",
    "state",
    "request_uri",
    "person",
    "onboardingToken",
    "activation",
    "proof",
    "apiKey",
}
LARGEST_INTEGER, LONGEST_NUMBER = 2**53, 100
SHOWN_HEADERS = {
    "accept-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "traceparent",
    "user-agent",
}
_PERSON_NUMBER = re.compile(r"(?<![0-9])[0-9]{11}(?![0-9])")
_PART = re.compile(r"[A-Za-z0-9_-]+")


def masked(value: Any) -> Any:
    """Private keys, tokens and national identity numbers are left out, however deep they stand."""
    if isinstance(value, dict):
        return {name: _member(name, content) for name, content in value.items()}
    if isinstance(value, list):
        return [masked(content) for content in value]
    if isinstance(value, str):
        return _text(value)
    return value


def _member(name: str, content: Any) -> Any:
    if name in SECRET_NAMES or (name in PRIVATE_MEMBERS and isinstance(content, str | list)):
        return MASK
    return masked(content)


def _text(value: str) -> str:
    if value.lstrip().startswith("{"):  # a JWK in a string, as some installers send it
        try:
            return json.dumps(masked(json.loads(value)))
        except (ValueError, RecursionError):
            return MASK
    return _PERSON_NUMBER.sub(MASK, value)


def plain(value: Any) -> Any:
    """What every JSON reader takes: a hostile call may hold more than that."""
    if isinstance(value, dict):
        return {plain(name): plain(content) for name, content in value.items()}
    if isinstance(value, list):
        return [plain(content) for content in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return str(value)[:LONGEST_NUMBER]
    return value


def masked_query(query: str) -> str:
    return urlencode(
        [(name, _member(name, value)) for name, value in parse_qsl(query)], safe=f"{MASK}:/"
    )


def shown_headers(headers: Mapping[str, list[str]]) -> dict[str, str]:
    shown = {name: ", ".join(headers[name]) for name in sorted(SHOWN_HEADERS & headers.keys())}
    for name, keep in (("api-key", 4), ("authorization", 0)):
        for value in headers.get(name, []):
            scheme, _, secret = value.rpartition(" ")
            shown[name] = f"{scheme} {secret[:keep]}{MASK}".strip()
    return {name: _text(value) for name, value in shown.items()}


def unverified_jwt(token: str) -> Jwt | None:
    """As it was sent, whether or not anybody should believe it."""
    parts = token.split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts[:2]):
        return None
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(f"{part}{'=' * (-len(part) % 4)}"))
            for part in parts[:2]
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return Jwt(header, claims)


def masked_jwt(jwt: Jwt) -> Jwt:
    return Jwt(masked(jwt.header), {name: masked(value) for name, value in jwt.claims.items()})
