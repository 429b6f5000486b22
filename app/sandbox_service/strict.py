"""Answers as the API may give them some day: `onboarding sandbox --strict`.

The document says that members, step codes and values may be added, and that most lists have no
order. Here they are added and have none, so that a client which cannot bear it fails in a
supplier's tests. What happens depends on the seed and on the operation that is asked for, on
nothing else: it is the same each time.
"""

from random import Random
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

NOVELTY = "sandboxNovelty"
LONGEST_WORD = 30
"""In our paths. Ids have 36 characters, and thumbprints 43."""
# Whose order means nothing. Keys are the oldest first, and steps in the order to do them.
ORDERLESS = {
    "affects",
    "apiScopes",
    "audienceSpecificClientClaims",
    "childOrganizationNumbers",
    "errors",
    "postLogoutRedirectUris",
    "redirectUris",
    "usableScopes",
    "warnings",
}


class StrictAnswers:
    """Stands before the service."""

    def __init__(self, app: ASGIApp, seed: int) -> None:
        self._app = app
        self._seed = seed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith("/v"):
            await self._app(scope, receive, send)
            return
        place = nameless(scope["path"])
        answer = Answer(send, Random(f"{self._seed} {place}"))  # noqa: S311  no secret
        await self._app(scope, receive, answer.take)


def nameless(path: str) -> str:
    """Without the names that are others in each run: ids and thumbprints."""
    return "/".join("*" if len(part) > LONGEST_WORD else part for part in path.split("/"))


class Answer:
    """Holds a body of JSON until it is whole, and sends it changed."""

    def __init__(self, send: Send, random: Random) -> None:
        self._send = send
        self._random = random
        self._start: HTTPResponseStartEvent | None = None
        self._body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_json(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message["body"]
            if not message["more_body"]:
                await self._send_changed(self._start)
        else:
            await self._send(message)

    async def _send_changed(self, start: HTTPResponseStartEvent) -> None:
        body = bytes(self._body)
        if body:
            body = msgspec.json.encode(strange(msgspec.json.decode(body), self._random))
        kept = [header for header in start["headers"] if header[0].lower() != b"content-length"]
        start["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _is_json(start: HTTPResponseStartEvent) -> bool:
    kinds = [value for name, value in start["headers"] if name.lower() == b"content-type"]
    return any(b"json" in kind for kind in kinds)


def strange(value: Any, random: Random) -> Any:
    """What a client has to bear."""
    if isinstance(value, list):
        return [strange(inner, random) for inner in value]
    if not isinstance(value, dict):
        return value
    changed = {name: strange(inner, random) for name, inner in value.items()}
    for name in ORDERLESS & changed.keys():
        if isinstance(changed[name], list):
            random.shuffle(changed[name])
    if isinstance(changed.get("steps"), list) and changed["steps"]:
        changed["steps"].append(_unknown_step(changed["steps"][0]))
    return {**changed, NOVELTY: "Ignore what you do not know."}


def _unknown_step(known: dict[str, Any]) -> dict[str, Any]:
    added = {"id": NOVELTY, "code": NOVELTY, "status": "waiting", "blocking": False}
    return {**known, **added, "affects": [], "actionUrl": None}
