"""The newest calls, in the order in which they were heard of."""

import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

MOST_ENTRIES = 2_000
LEAST_REFUSAL = 400


class Check(Struct, frozen=True, rename="camel"):
    name: Annotated[str, Meta(examples=["proof htu"])]
    expected: str
    got: str
    ok: bool
    change: Annotated[
        str, Meta(description="What to change where it is not as expected; else empty.")
    ] = ""


class Jwt(Struct, frozen=True, rename="camel"):
    """Without its signature, so that it is of no use to anybody."""

    header: dict[str, Any]
    claims: dict[str, Any]


class Entry(Struct, frozen=True, kw_only=True, rename="camel"):
    """A call and its answer. Secrets are masked."""

    id: int = 0
    at: datetime
    to: Annotated[
        str, Meta(description="`service`, `issuer`, `altinn`, `maskinporten` or `brreg`.")
    ]
    method: str
    path: str
    query: str = ""
    status: int
    ms: float
    client_id: str | None = None
    headers: dict[str, str] = {}
    jwts: Annotated[
        dict[str, Jwt], Meta(description="Those that were sent, by where they stood.")
    ] = {}
    body: Any = None
    answer: Annotated[Any, Meta(description="The body of the answer, where it is JSON.")] = None
    checks: Annotated[
        list[Check], Meta(description="For a refusal: what was expected, and what came.")
    ] = []
    spends: Annotated[
        list[str], Meta(description="What may be used once: a `jti`, with where it stood.")
    ] = []


class Journal:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._ids = itertools.count(1)

    def add(self, entry: Entry) -> None:
        checks = [*entry.checks, *self._used_before(entry)] if entry.checks else []
        self._entries.append(msgspec.structs.replace(entry, id=next(self._ids), checks=checks))

    def _used_before(self, entry: Entry) -> Iterable[Check]:
        for spent in entry.spends:
            earlier = next((one for one in self._entries if spent in one.spends), None)
            if earlier is not None:
                where, _, jti = spent.partition(" ")
                when = f"{earlier.at:%H:%M:%S} with {earlier.method} {earlier.path}"
                got = f"{jti}, which came at {when}"
                yield Check(
                    f"{where} jti",
                    "one that was not used before",
                    got,
                    ok=False,
                    change=f"Make a new {where}, with a new `jti`, for each request: also when "
                    "the same request is sent again.",
                )

    def found(
        self,
        *,
        client_id: str | None = None,
        path: str | None = None,
        since: datetime | None = None,
        refused: bool = False,
    ) -> Sequence[Entry]:
        return [
            entry
            for entry in self._entries
            if (client_id is None or entry.client_id == client_id)
            and (path is None or path in entry.path)
            and (since is None or entry.at >= since)
            and (not refused or entry.status >= LEAST_REFUSAL)
        ]

    def forget(self) -> None:
        self._entries.clear()
