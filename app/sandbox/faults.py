"""Failures of the neighbours, and of the service, that a test or a person asks for."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec import Meta, Struct
from msgspec.structs import replace

TARGETS = {
    "issuer": ("/sts",),
    "brreg": ("/brreg/enhetsregisteret/api",),
    "altinn": ("/altinn", "/am-ui"),
    "maskinporten": ("/maskinporten",),
    "service": ("",),
}
SERVICE = "service"

Special = Literal[
    "swallowedException",
    "wrongCount",
    "indeterminate",
    "contradiction",
    "neverLoggedIn",
    "tooManyRequestsDate",
    "problem",
]
DECISIONS = "/authorization/*"
SPECIAL_PATHS: Mapping[Special, str] = {
    "swallowedException": DECISIONS,
    "wrongCount": DECISIONS,
    "indeterminate": DECISIONS,
    "contradiction": "/accessmanagement/api/v1/maskinporten/*",
    "neverLoggedIn": "/accessmanagement/api/v1/*/authorizedparties",
}
SPECIAL_KEY = "sandbox.special"
DEFAULT_RETRY_AFTER = 5
PROBLEM = (
    b'{"type": "urn:altinn:error:STD-00001", "title": "An unexpected error occurred.",'
    b' "status": 500, "code": "STD-00001"}'
)


Path = Annotated[str, Meta(max_length=200)]
Times = Annotated[int, Meta(ge=1, le=1_000_000)]
Status = Annotated[int, Meta(ge=400, le=599)]
Seconds = Annotated[int, Meta(ge=0)]


class Fault(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One way to fail. Several members work together: first the delay, then what follows it."""

    target: Annotated[
        Literal["issuer", "brreg", "altinn", "maskinporten", "service"],
        Meta(description="`service` is met in every process, as at a gateway before it."),
    ]
    special: Annotated[
        Special | None,
        Meta(
            description=(
                "One of Altinn's own ways. Those about one product meet only that product's"
                " calls: `swallowedException`, `wrongCount` and `indeterminate` the decisions,"
                " `contradiction` the look-up by scope (it says the opposite), `neverLoggedIn`"
                " the authorized parties (none). `tooManyRequestsDate` is 429 with a date, and"
                " `problem` 500 with problem details."
            )
        ),
    ] = None
    path: Annotated[
        Path | None,
        Meta(
            description="Below the target's address; `*` stands for anything.",
            examples=["/connect/token", "/v1/client-secret*"],
        ),
    ] = None
    times: Annotated[
        Times | None,
        Meta(
            description=(
                "How many requests it meets. Absent: all, until the faults are taken away."
            )
        ),
    ] = None
    status: Annotated[Status | None, Meta(description="Answered instead.", examples=[503])] = None
    retry_after: Annotated[Seconds | None, Meta(description="The header, in seconds.")] = None
    delay_ms: Annotated[int, Meta(ge=0, le=120_000, description="Waited before all else.")] = 0
    drop: Annotated[bool, Meta(description="The connection breaks; nothing was done.")] = False
    malformed: Annotated[bool, Meta(description="200 with JSON that breaks off.")] = False
    lose_answer: Annotated[
        bool, Meta(description="The work is done; the connection breaks before the answer.")
    ] = False


def neighbour_at(path: str) -> str | None:
    """Whose path it is here; None for the controls."""
    for name, roots in TARGETS.items():
        if name != SERVICE and any(path == root or path.startswith(f"{root}/") for root in roots):
            return name
    return None


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def set(self, faults: Sequence[Fault]) -> None:
        self._faults = list(faults)

    def current(self) -> list[Fault]:
        return list(self._faults)

    def next_for(self, path: str) -> Fault | None:
        """The first fault that fits; each use counts."""
        for index, fault in enumerate(self._faults):
            if not fits(fault, path):
                continue
            if fault.times == 1:
                del self._faults[index]
            elif fault.times is not None:
                self._faults[index] = replace(fault, times=fault.times - 1)
            return fault
        return None


def fits(fault: Fault, path: str) -> bool:
    for root in TARGETS[fault.target]:
        if path == root or path.startswith(f"{root}/"):
            patterns = (fault.path, SPECIAL_PATHS.get(fault.special) if fault.special else None)
            below = path.removeprefix(root)
            return all(pattern is None or fnmatchcase(below, pattern) for pattern in patterns)
    return False


def special_fault(scope: Scope) -> str | None:
    """What the answer to this request shall be spoilt by, for the stand-in to do itself."""
    found: str | None = cast(dict[str, Any], scope).get(SPECIAL_KEY)
    return found


class FaultInjection:
    """Stands before everything else, so that a fault looks like the network or a gateway."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == ScopeType.HTTP
        fault = self._faults.next_for(scope["path"]) if is_http else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await fail(fault, self._app, scope, receive, send)


async def fail(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(fault.delay_ms / 1_000)
    if fault.lose_answer:
        await app(scope, receive, _nowhere)
        await _break_off(send)
    elif fault.drop:
        await _break_off(send)
    elif fault.malformed:
        await _answer(send, fault.status or 200, b'{"broken": [1, 2', fault.retry_after)
    elif fault.special == "tooManyRequestsDate":
        await _answer(send, 429, b"", _date_in(fault.retry_after))
    elif fault.special == "problem":
        await _answer(send, 500, PROBLEM, None, kind=b"application/problem+json")
    elif fault.status is not None:
        body = b'{"error": "temporarily_unavailable", "error_description": "sandbox fault"}'
        await _answer(send, fault.status, body, fault.retry_after)
    else:
        cast(dict[str, Any], scope)[SPECIAL_KEY] = fault.special
        await app(scope, receive, send)


async def _nowhere(_: Message) -> None:
    """Takes an answer that nobody shall see."""


async def _break_off(send: Send) -> None:
    """A body that ends before its length makes the server cut the connection."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"1000000")],
        }
    )
    await send({"type": "http.response.body", "body": b" ", "more_body": True})


def _date_in(seconds: int | None) -> str:
    wait = DEFAULT_RETRY_AFTER if seconds is None else seconds
    return format_datetime(datetime.now(UTC) + timedelta(seconds=wait), usegmt=True)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    retry_after: int | str | None,
    *,
    kind: bytes = b"application/json",
) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
