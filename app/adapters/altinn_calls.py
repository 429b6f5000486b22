"""Calling Altinn: within the budget, with a token, again when it helps, and not when it rests."""

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct, json

from app.adapters.http import Answer, CircuitBreaker, Neighbour, NoAnswer
from app.adapters.maskinporten import AltinnTokens
from app.delegations.altinn import AltinnBusy, AltinnUnavailable, Budget

WITHIN = 4.0
TRIES = 3
FIRST_PAUSE = 0.25
REST = 3.0
FAILURES_BEFORE_REST = 5
LEAST_QUIET, LONGEST_QUIET = 2.0, 60.0
LONGEST_BELIEVED = 3600.0


class Call(Struct, frozen=True, kw_only=True):
    product: str
    """Whose budget it is taken from."""
    scope: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: Any = None
    tries: int = TRIES


class Heard(Struct, frozen=True):
    answer: Answer
    reference: str
    """The trace id that Altinn was given with the call."""

    def good(self, *statuses: int) -> Answer:
        """The answer, if its status is among `statuses`, or 200; else `NoAnswer`."""
        if self.answer.status not in (statuses or (200,)):
            raise NoAnswer(f"status {self.answer.status}")
        return self.answer


class AltinnCalls:
    def __init__(
        self,
        neighbour: Neighbour,
        tokens: AltinnTokens,
        budget: Budget,
        *,
        subscription_key: str = "",
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._neighbour = neighbour
        self._tokens = tokens
        self._budget = budget
        self._subscription_key = subscription_key
        self._breaker = breaker or CircuitBreaker(after=FAILURES_BEFORE_REST, rest=REST)
        self._quiet_until: dict[str, float] = {}
        self._quiet_times: dict[str, int] = {}

    async def ask(self, call: Call, *, urgent: bool) -> Heard:
        """What Altinn says, below 500 and neither 401 nor 429, or `AltinnUnavailable`."""
        left = self._quiet_until.get(call.product, 0.0) - time.monotonic()
        if left > 0:
            raise AltinnBusy(f"{call.product} asked to be left alone", seconds=left)
        if not self._breaker.lets_through():
            raise AltinnBusy("not asked: Altinn has failed too often just now", seconds=REST)
        try:
            heard = await self._persistently(call, urgent)
        except NoAnswer as error:
            self._breaker.failed()
            raise AltinnUnavailable(f"{call.product}: {error}") from error
        self._breaker.succeeded()
        self._heed(call.product, heard.answer)
        return heard

    def waited_in_vain(self) -> None:
        """Whoever asked had less time than a call may take: to hang is to fail all the same."""
        self._breaker.failed()

    async def _persistently(self, call: Call, urgent: bool) -> Heard:
        for attempt in range(1, call.tries + 1):
            try:
                heard = await self._once(call, urgent)
            except NoAnswer:
                if attempt == call.tries:
                    raise
                pause = FIRST_PAUSE * 2 ** (attempt - 1)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
                continue
            if heard.answer.status != 401 or attempt == call.tries:
                return heard
        raise AssertionError("the last try either returns or raises")

    async def _once(self, call: Call, urgent: bool) -> Heard:
        token = await self._tokens.token(call.scope)
        seconds = await self._budget.take(call.product, urgent=urgent)
        if seconds > 0:
            raise AltinnBusy(f"the budget of {call.product} is spent", seconds=seconds)
        reference = secrets.token_hex(16)
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "traceparent": f"00-{reference}-{secrets.token_hex(8)}-01",
        }
        if self._subscription_key:
            headers["Ocp-Apim-Subscription-Key"] = self._subscription_key
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.encode(call.body)
        query = f"?{urlencode(call.query)}" if call.query else ""
        url = f"{self._neighbour.url}{call.path}{query}"
        answer = await self._neighbour.ask(call.method, url, headers=headers, content=content)
        if answer.status == 401:
            self._tokens.forget(call.scope, token)
        return Heard(answer, reference)

    def _heed(self, product: str, answer: Answer) -> None:
        """401 and 429 say nothing of what was asked."""
        if answer.status == 401:
            raise AltinnUnavailable(f"{product} does not take our token")
        if answer.status != 429:
            self._quiet_times.pop(product, None)
            return
        times = self._quiet_times[product] = self._quiet_times.get(product, 0) + 1
        seconds = _retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        if seconds is None:
            most = min(LONGEST_QUIET, LEAST_QUIET * 2 ** min(times, 10))
            seconds = random.uniform(LEAST_QUIET, most)  # noqa: S311  # it guards no secret
        self._quiet_until[product] = time.monotonic() + seconds
        raise AltinnBusy(f"{product} has had too many calls", seconds=seconds)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """In seconds, whether it is said in seconds or as a date; None when it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_BELIEVED)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_BELIEVED)
