"""Where the token issuer's endpoints are, by its own word (OpenID Connect Discovery, RFC 8414)."""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from app.adapters.http import Neighbour, NoAnswer

FRESH = 3600.0
FALLBACK = 24 * 3600.0


class Discovery:
    """The issuer's metadata, asked for once an hour; an old copy serves while it is silent."""

    def __init__(
        self, neighbour: Neighbour, issuer: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._neighbour = neighbour
        self._issuer = issuer
        self._clock = clock
        self._metadata: dict[str, object] = {}
        self._fetched_at: float | None = None
        self._asking = asyncio.Lock()

    async def endpoint(self, name: str) -> str:
        """The address that the metadata give for `name`: on the issuer's origin, or `NoAnswer`."""
        metadata = await self._current()
        address = metadata.get(name)
        if not isinstance(address, str) or _origin(address) != _origin(self._issuer):
            raise NoAnswer(f"its metadata give no {name} on its own origin")
        return address

    async def _current(self) -> dict[str, object]:
        async with self._asking:
            if self._age() < FRESH:
                return self._metadata
            try:
                self._metadata = await self._fetched()
                self._fetched_at = self._clock()
            except NoAnswer:
                if self._age() >= FALLBACK:
                    raise
            return self._metadata

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    async def _fetched(self) -> dict[str, object]:
        url = f"{self._issuer}/.well-known/openid-configuration"
        answer = await self._neighbour.ask("GET", url, headers={"Accept": "application/json"})
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status} for its metadata")
        metadata = answer.decoded(dict[str, object])
        if metadata.get("issuer") != self._issuer:
            raise NoAnswer("metadata of another issuer")
        return metadata


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port
