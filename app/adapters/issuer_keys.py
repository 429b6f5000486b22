"""The keys with which the token issuer signs, from its JWKS.

What a request asks for is in memory; the issuer is asked in the background. Only a kid that has
never been seen makes a request wait for the issuer, and that at most once a minute.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import Any, Self

from msgspec import Struct, json

from app.access.access_tokens import IssuerKeysUnavailable
from app.access.public_jwk import KeyRefused, PublicKey, acceptable_jwk
from app.adapters.discovery import Discovery
from app.adapters.http import Neighbour, NoAnswer
from app.jobs import ended

log = logging.getLogger(__name__)

REFRESH_EVERY = 300.0
TRY_AGAIN = 5.0
REST = 1.0
UNKNOWN_KID_EVERY = 60.0
OUTAGE_AT_MOST = 24 * 3600.0
MOST_KEYS = 100


class _Jwks(Struct):
    keys: list[dict[str, Any]]


class IssuerJwks:
    """Fresh from `async with` to its end. A key that the issuer takes away is gone at once."""

    def __init__(
        self,
        neighbour: Neighbour,
        discovery: Discovery,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._neighbour = neighbour
        self._discovery = discovery
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._imported: dict[bytes, PublicKey] = {}
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._asked_for_unknown = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None
        self._background: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._background = asyncio.create_task(self._refresh_for_ever(), name="issuer keys")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._background, self._refreshing):
            await ended(task)

    async def key(self, kid: str) -> PublicKey | None:
        """Raises `IssuerKeysUnavailable` when there are no keys to look in."""
        if not self._may_be_used():
            if self._clock() - self._failed_at >= REST:
                await self._refreshed()
            if not self._may_be_used():
                raise IssuerKeysUnavailable
        if kid not in self._keys and self._may_ask_for_unknown():
            self._asked_for_unknown = self._clock()
            await self._refreshed()
        if kid not in self._keys and self._failed_at > self._fetched_at:
            # The issuer may have new keys that we could not get: this is no verdict on the token.
            raise IssuerKeysUnavailable
        return self._keys.get(kid)

    def _may_be_used(self) -> bool:
        return self._clock() - self._fetched_at < OUTAGE_AT_MOST

    def _may_ask_for_unknown(self) -> bool:
        return self._clock() - self._asked_for_unknown >= UNKNOWN_KID_EVERY

    async def _refreshed(self) -> None:
        """One refresh at a time, which everybody waits for and nobody's giving up ends."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())
        await asyncio.shield(self._refreshing)

    async def _refresh_for_ever(self) -> None:
        while True:
            await self._refreshed()
            wait = TRY_AGAIN if self._failed_at > self._fetched_at else REFRESH_EVERY
            spread = random.uniform(0.8, 1.2)  # noqa: S311  # it guards no secret
            await asyncio.sleep(wait * spread)

    async def _refresh(self) -> None:
        try:
            self._keys = self._usable(await self._fetched())
            self._fetched_at = self._clock()
        except NoAnswer as error:
            self._failed_at = self._clock()
            log.warning("the issuer's keys could not be fetched: %s", error)
        except Exception:
            self._failed_at = self._clock()
            log.exception("the issuer's keys could not be read")

    async def _fetched(self) -> list[dict[str, Any]]:
        url = await self._discovery.endpoint("jwks_uri")
        answer = await self._neighbour.ask("GET", url, headers={"Accept": "application/json"})
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status} for its keys")
        return answer.decoded(_Jwks).keys[:MOST_KEYS]

    def _usable(self, jwks: list[dict[str, Any]]) -> dict[str, PublicKey]:
        """By kid. Of two keys with one kid the first counts."""
        imported: dict[bytes, PublicKey] = {}
        keys: dict[str, PublicKey] = {}
        for jwk in jwks:
            if not isinstance(kid := jwk.get("kid"), str):
                continue
            fingerprint = json.encode(jwk, order="sorted")
            key = self._imported.get(fingerprint)
            if key is None:
                with contextlib.suppress(KeyRefused):
                    key = acceptable_jwk(jwk, pointer="#")
            if key is not None:
                imported[fingerprint] = key
                keys.setdefault(kid, key)
        self._imported = imported
        return keys
