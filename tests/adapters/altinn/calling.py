"""The real adapters, and what they are asked about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from app.adapters import altinn_calls
from app.adapters.altinn import HttpAltinn
from app.adapters.altinn_calls import AltinnCalls
from app.adapters.altinn_rights import AltinnScopes
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.maskinporten import AltinnTokens, MaskinportenKey
from app.apis.catalogue import Right, RightKind, Texts
from app.delegations.altinn import Question
from app.delegations.answers import Source
from tests.sandbox.service_owner import GENERIC, KEY, PROCESSOR, SCOPE, SUBSCRIPTION

CUSTOMER, SUPPLIER = "310000019", "310700029"
TITLE = Texts(nb="Retten", nn="Retten", en="The right")
SCHEMA = Right(
    name="processor",
    title=TITLE,
    kind=RightKind.MASKINPORTEN_SCHEMA,
    resource_id=PROCESSOR,
    maskinporten_scope=SCOPE,
)
ACCESS = Right(name="access", title=TITLE, kind=RightKind.GENERIC_ACCESS, resource_id=GENERIC)
SCOPES = AltinnScopes(
    maskinporten="altinn:maskinporten/delegations",
    parties="altinn:accessmanagement/authorizedparties.resourceowner",
    pdp="altinn:authorization/authorize",
    requests=(
        "altinn:serviceowner/delegationrequests.read altinn:serviceowner/delegationrequests.write"
    ),
)


class Bucket:
    """A budget of so many calls."""

    def __init__(self, calls: float = float("inf")) -> None:
        self.calls = calls
        self.taken: list[tuple[str, bool]] = []

    async def take(self, product: str, *, urgent: bool) -> float:
        if self.calls <= 0:
            return 7.0
        self.calls -= 1
        self.taken.append((product, urgent))
        return 0.0


@asynccontextmanager
async def calls_at(
    altinn_url: str,
    maskinporten_url: str,
    *,
    budget: Bucket | None = None,
    breaker: CircuitBreaker | None = None,
    within: float = altinn_calls.WITHIN,
) -> AsyncIterator[AltinnCalls]:
    never = CircuitBreaker(after=10_000)
    key = MaskinportenKey(msgspec.json.encode(KEY.as_dict(private=True)).decode())
    async with (
        Neighbour(altinn_url, contact="x", within=within, breaker=never) as platform,
        Neighbour(maskinporten_url, contact="x", within=3, breaker=never) as maskinporten,
    ):
        tokens = AltinnTokens(maskinporten, platform, client_id="our-client", key=key)
        yield AltinnCalls(
            platform, tokens, budget or Bucket(), subscription_key=SUBSCRIPTION, breaker=breaker
        )


@asynccontextmanager
async def altinn_at(
    altinn_url: str, maskinporten_url: str, *, pages_url: str, **more: Any
) -> AsyncIterator[HttpAltinn]:
    async with calls_at(altinn_url, maskinporten_url, **more) as calls:
        yield HttpAltinn(calls, SCOPES, pages_url=pages_url)


def question(right: Right = SCHEMA, giver: str = CUSTOMER) -> Question:
    return Question(right=right, giver=giver, receiver=SUPPLIER)


def right_for(source: Source) -> Right:
    return ACCESS if source == Source.PDP else SCHEMA


async def press(
    controls: httpx2.AsyncClient, giver: str, right: Right, action: str = "grant"
) -> None:
    body = {"from": giver, "to": SUPPLIER, "right": right.resource_id, "action": action}
    assert (await controls.post("/delegations", json=body)).is_success
