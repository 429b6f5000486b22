"""Everybody this service talks to, made from its settings."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from app.adapters import (
    altinn_calls,
    altinn_resources,
    enhetsregisteret,
    enhetsregisteret_feed,
    login,
    maskinporten,
    token_issuer,
)
from app.adapters.altinn import HttpAltinn
from app.adapters.altinn_calls import AltinnCalls
from app.adapters.altinn_resources import AltinnResources
from app.adapters.altinn_rights import AltinnScopes
from app.adapters.discovery import Discovery
from app.adapters.enhetsregisteret import Enhetsregisteret
from app.adapters.enhetsregisteret_feed import EnhetsregisteretFeed
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.issuer_keys import IssuerJwks
from app.adapters.login import IssuerLogin, LoginKey
from app.adapters.maskinporten import AltinnTokens, MaskinportenKey
from app.adapters.pace import Pace
from app.adapters.person_rights import AltinnPersonRights
from app.adapters.token_issuer import RegistrationAtIssuer
from app.delegations.altinn import Budget, Budgets
from app.settings import Settings


class Neighbours(Struct):
    register: Enhetsregisteret
    register_feed: EnhetsregisteretFeed
    issuer: RegistrationAtIssuer
    issuer_keys: IssuerJwks
    login: IssuerLogin
    altinn: HttpAltinn | None
    """None where the operator has none."""
    altinn_resources: AltinnResources | None
    person_rights: AltinnPersonRights | None


@asynccontextmanager
async def neighbours(
    settings: Settings, budgets: Budgets, *, altinn_breaker: CircuitBreaker | None = None
) -> AsyncIterator[Neighbours]:
    """The neighbours, with connections that are closed at the end.

    Altinn is spared where it fails, unless another `altinn_breaker` says otherwise.
    """
    async with AsyncExitStack() as stack:
        reach = Reach(settings, stack)
        issuer_http = await reach(
            settings.issuer,
            within=token_issuer.WITHIN,
            breaker=CircuitBreaker(rest=token_issuer.REST),
        )
        metadata = Discovery(issuer_http, settings.issuer)
        keys = IssuerJwks(issuer_http, metadata)
        calls = await _altinn_calls(settings, budgets.altinn, reach, altinn_breaker)
        pace = Pace(budgets.register, "enhetsregisteret")
        yield Neighbours(
            register=await _register(settings, reach, pace),
            register_feed=await _register_feed(settings, reach, pace),
            issuer=RegistrationAtIssuer(issuer_http, metadata, settings.registration_token),
            issuer_keys=keys,
            login=IssuerLogin(
                await reach(settings.issuer, within=login.WITHIN),
                metadata,
                keys,
                client_id=settings.login_client_id,
                key=LoginKey(settings.login_key),
                with_person_number=calls is not None,
            ),
            altinn=_altinn(settings, calls) if calls else None,
            altinn_resources=await _altinn_resources(settings, budgets.altinn, reach),
            person_rights=AltinnPersonRights(calls, _scopes(settings)) if calls else None,
        )


class Reach:
    """Connections to neighbours, as the operator wants them, closed with the stack."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack

    async def __call__(
        self,
        url: str,
        *,
        within: float,
        tries: int = 1,
        breaker: CircuitBreaker | None = None,
        pace: Pace | None = None,
    ) -> Neighbour:
        neighbour = Neighbour(
            url,
            contact=self._settings.contact,
            ca_file=self._settings.ca_file,
            within=within,
            tries=tries,
            breaker=breaker,
            pace=pace,
        )
        return await self._stack.enter_async_context(neighbour)


async def _register(settings: Settings, reach: Reach, pace: Pace) -> Enhetsregisteret:
    within, tries = enhetsregisteret.ANSWERS_WITHIN, enhetsregisteret.TRIES
    url = settings.enhetsregisteret_url
    return Enhetsregisteret(await reach(url, within=within, tries=tries, pace=pace))


async def _register_feed(settings: Settings, reach: Reach, pace: Pace) -> EnhetsregisteretFeed:
    """Apart: a long list may take its time, and its failures are no news of the rest."""
    within, tries = enhetsregisteret_feed.WITHIN, enhetsregisteret_feed.TRIES
    url = settings.enhetsregisteret_url
    return EnhetsregisteretFeed(await reach(url, within=within, tries=tries, pace=pace))


async def _altinn_calls(
    settings: Settings, budget: Budget, reach: Reach, breaker: CircuitBreaker | None
) -> AltinnCalls | None:
    """None where the operator has no Altinn."""
    if settings.altinn_url is None or settings.maskinporten_issuer is None:
        return None
    # Failures are counted where the tries are: one organization's trouble is not Altinn's.
    patient = CircuitBreaker(after=sys.maxsize)
    platform = await reach(settings.altinn_url, within=altinn_calls.WITHIN, breaker=patient)
    tokens = AltinnTokens(
        await reach(settings.maskinporten_issuer, within=maskinporten.WITHIN, breaker=patient),
        platform,
        client_id=settings.maskinporten_client_id,
        key=MaskinportenKey(settings.maskinporten_key),
    )
    key = settings.altinn_subscription_key
    return AltinnCalls(platform, tokens, budget, subscription_key=key, breaker=breaker)


def _altinn(settings: Settings, calls: AltinnCalls) -> HttpAltinn:
    pages_url = settings.altinn_ui_url or settings.altinn_url
    assert pages_url is not None  # without it there were no calls
    return HttpAltinn(calls, _scopes(settings), pages_url=pages_url)


async def _altinn_resources(
    settings: Settings, budget: Budget, reach: Reach
) -> AltinnResources | None:
    if settings.altinn_url is None:
        return None
    within, tries = altinn_resources.WITHIN, altinn_resources.TRIES
    return AltinnResources(await reach(settings.altinn_url, within=within, tries=tries), budget)


def _scopes(settings: Settings) -> AltinnScopes:
    return AltinnScopes(
        maskinporten=settings.altinn_scope_maskinporten,
        parties=settings.altinn_scope_parties,
        pdp=settings.altinn_scope_pdp,
        requests=settings.altinn_scope_requests,
    )
