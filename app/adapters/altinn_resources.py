"""Altinn's open register of resources: whose rules have changed."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, Struct, field

from app.adapters.http import Neighbour, NoAnswer
from app.delegations.altinn import AltinnBusy, AltinnUnavailable, Budget, ChangedResources

PRODUCT = "resourceRegistry"
PATH = "/resourceregistry/api/v1/resource/updated"
RESOURCE = "urn:altinn:resource:"
WITHIN = 10.0
TRIES = 1  # each is paid for from the budget
MOST_PAGES = 20


class _Row(Struct, rename="camel"):
    """A resource, and somebody who got it or lost it by its rules."""

    resource_urn: str
    updated_at: Annotated[datetime, Meta(tz=True)]


class _Links(Struct):
    next: str | None = None


class _Page(Struct):
    data: list[_Row]
    links: _Links = field(default_factory=_Links)


class AltinnResources:
    def __init__(self, platform: Neighbour, budget: Budget) -> None:
        self._platform = platform
        self._budget = budget

    async def changed_since(self, since: datetime) -> ChangedResources:
        moment = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        address = f"{self._platform.url}{PATH}?{urlencode({'since': moment})}"
        rows: list[_Row] = []
        for _ in range(MOST_PAGES):
            page = await self._page(address)
            rows += page.data
            if page.links.next is None or not self._is_theirs(page.links.next):
                break
            address = page.links.next
        # Those of the moment itself have been read before.
        news = [row for row in rows if row.updated_at > since]
        return ChangedResources(
            frozenset(row.resource_urn.removeprefix(RESOURCE) for row in news),
            max((row.updated_at for row in news), default=since),
        )

    async def _page(self, address: str) -> _Page:
        seconds = await self._budget.take(PRODUCT, urgent=False)
        if seconds > 0:
            raise AltinnBusy(f"the budget of {PRODUCT} is spent", seconds=seconds)
        try:
            answer = await self._platform.ask("GET", address)
            if answer.status != 200:
                raise NoAnswer(f"status {answer.status}")
            return answer.decoded(_Page)
        except NoAnswer as error:
            raise AltinnUnavailable(f"{PRODUCT}: {error}") from error

    def _is_theirs(self, address: str) -> bool:
        ours, theirs = urlsplit(self._platform.url), urlsplit(address)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
