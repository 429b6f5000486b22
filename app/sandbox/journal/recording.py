"""Writing down what an application is asked and answers, as it passes by."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from msgspec import Struct

from app.sandbox.journal.checks import (
    Expected,
    assertion_checks,
    nonce_check,
    proof_checks,
    token_checks,
)
from app.sandbox.journal.entries import Check, Entry, Jwt
from app.sandbox.journal.masking import (
    masked,
    masked_jwt,
    masked_query,
    plain,
    shown_headers,
    unverified_jwt,
)

LONGEST_BODY = 16_384
WANTS_NONCE = "use_dpop_nonce"
REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_CLIENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Policy(Struct, frozen=True, kw_only=True):
    """What the service expects of a token, and the issuer of an assertion."""

    bases: Sequence[str]
    """The addresses below which the application is reached."""
    issuer: str
    audience: str = ""
    scope: str = ""


class Recording:
    """An ASGI application around another one. What it writes down goes to `keep`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: Policy,
        keep: Callable[[Entry], None],
        called: Callable[[str], str | None],
    ) -> None:
        """`called` names whom a path belongs to; None for what is not written down."""
        self._app, self._policy, self._keep, self._called = app, policy, keep, called

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        to = self._called(scope["path"]) if scope["type"] == ScopeType.HTTP else None
        if to is None or scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        heard = Heard(scope)
        try:
            await self._app(scope, heard.receiving(receive), heard.sending(send))
        finally:
            self._keep(written(heard, to, self._policy))


class Heard:
    """One call as it passes by."""

    def __init__(self, scope: HTTPScope) -> None:
        self.scope = scope
        self.at, self.began = datetime.now(UTC), time.perf_counter()
        self.body, self.answer = b"", b""
        self.status = 0
        self.is_json = False
        self.headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            self.headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))

    def receiving(self, receive: Receive) -> Receive:
        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.request" and len(self.body) < LONGEST_BODY:
                self.body += message["body"]
            return message

        return heard

    def sending(self, send: Send) -> Send:
        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                kinds = [value for name, value in message["headers"] if name == b"content-type"]
                self.is_json = any(b"json" in kind for kind in kinds)
            elif message["type"] == "http.response.body" and len(self.answer) < LONGEST_BODY:
                self.answer += message["body"]
            await send(message)

        return heard

    @property
    def form(self) -> dict[str, str]:
        if not any("form-urlencoded" in kind for kind in self.headers.get("content-type", [])):
            return {}
        try:
            return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}
        except (ValueError, UnicodeDecodeError):
            return {}


def written(heard: Heard, to: str, policy: Policy) -> Entry:
    form = heard.form
    jwts = _jwts(heard, form)
    answer = _json(heard.answer) if heard.is_json else None
    path: str = heard.scope["path"]
    refused = heard.status in REFUSALS
    entry = Entry(
        at=heard.at,
        to=to,
        method=heard.scope["method"],
        path=path,
        query=masked_query(heard.scope["query_string"].decode("latin-1")),
        status=heard.status,
        ms=round((time.perf_counter() - heard.began) * 1000, 1),
        client_id=_client_id(to, path, form, jwts, answer),
        headers=shown_headers(heard.headers),
        jwts={name: masked_jwt(jwt) for name, jwt in jwts.items()},
        body=masked(form or _json(heard.body)),
        answer=masked(answer),
        checks=_checks(heard, to, form, jwts, answer, policy) if refused else [],
        spends=[
            f"{name} {jwt.claims['jti']}"
            for name, jwt in (
                ("proof", jwts.get("DPoP")),
                ("assertion", jwts.get("client_assertion")),
            )
            if jwt is not None and isinstance(jwt.claims.get("jti"), str)
        ],
    )
    return msgspec.convert(plain(msgspec.to_builtins(entry)), Entry)


def _jwts(heard: Heard, form: dict[str, str]) -> dict[str, Jwt]:
    sent = {
        "Authorization": _credentials(heard),
        "DPoP": next(iter(heard.headers.get("dpop", [])), None),
        "client_assertion": form.get("client_assertion"),
    }
    found = {name: unverified_jwt(token) for name, token in sent.items() if token}
    return {name: jwt for name, jwt in found.items() if jwt is not None}


def _credentials(heard: Heard) -> str | None:
    return next((value.partition(" ")[2] for value in heard.headers.get("authorization", [])), None)


def _checks(
    heard: Heard,
    to: str,
    form: dict[str, str],
    jwts: dict[str, Jwt],
    answer: Any,
    policy: Policy,
) -> list[Check]:
    expected = Expected(
        method=heard.scope["method"],
        urls=[base + heard.scope["raw_path"].decode("latin-1") for base in policy.bases],
        now=heard.at.timestamp(),
    )
    if to == "service" and {"authorization", "dpop"} & heard.headers.keys():
        return [*_of_token(heard, jwts, policy, expected)]
    if to == "issuer" and "grant_type" in form:
        checks = [*_of_assertion(heard, form, jwts, policy, expected)]
        wants_nonce = isinstance(answer, dict) and answer.get("error") == WANTS_NONCE
        return [*checks, nonce_check(jwts.get("DPoP"))] if wants_nonce else checks
    return []


def _of_token(
    heard: Heard, jwts: dict[str, Jwt], policy: Policy, expected: Expected
) -> Iterator[Check]:
    token, proof = jwts.get("Authorization"), jwts.get("DPoP")
    yield from token_checks(
        token,
        proof,
        issuer=policy.issuer,
        audience=policy.audience,
        scope=policy.scope,
        now=expected.now,
    )
    yield from proof_checks(heard.headers.get("dpop", []), proof, _credentials(heard), expected)


def _of_assertion(
    heard: Heard, form: dict[str, str], jwts: dict[str, Jwt], policy: Policy, expected: Expected
) -> Iterator[Check]:
    yield from assertion_checks(
        jwts.get("client_assertion"),
        audiences=[policy.issuer, *expected.urls],
        client_id=form.get("client_id"),
        now=expected.now,
    )
    proofs = heard.headers.get("dpop", [])
    if proofs:
        yield from proof_checks(proofs, jwts.get("DPoP"), None, expected)


def _client_id(
    to: str, path: str, form: dict[str, str], jwts: dict[str, Jwt], answer: Any
) -> str | None:
    in_path = _CLIENT_ID.search(path)
    token, assertion = jwts.get("Authorization"), jwts.get("client_assertion")
    candidates = (
        in_path[0] if in_path else None,
        # The neighbours' tokens are the service's own.
        token.claims.get("client_id") if token and to == "service" else None,
        assertion.claims.get("sub") if assertion else None,
        form.get("client_id"),
        answer.get("clientId") if isinstance(answer, dict) else None,
    )
    return next((one for one in candidates if isinstance(one, str)), None)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
