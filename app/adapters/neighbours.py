"""Everybody this service talks to, made from its settings."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from app.adapters import altinn_calls, enhetsregisteret, login, maskinporten, token_issuer
from app.adapters.altinn import AltinnScopes, HttpAltinn
from app.adapters.altinn_calls import AltinnCalls
from app.adapters.discovery import Discovery
from app.adapters.enhetsregisteret import Enhetsregisteret
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.issuer_keys import IssuerJwks
from app.adapters.login import IssuerLogin, LoginKey
from app.adapters.maskinporten import AltinnTokens, MaskinportenKey
from app.adapters.person_rights import AltinnPersonRights
from app.adapters.token_issuer import RegistrationAtIssuer
from app.delegations.altinn import Budget
from app.settings import Settings


class Neighbours(Struct):
    register: Enhetsregisteret
    issuer: RegistrationAtIssuer
    issuer_keys: IssuerJwks
    login: IssuerLogin
    issuer_metadata: Discovery
    issuer_http: Neighbour
    altinn: HttpAltinn | None
    """None where the operator has none."""
    person_rights: AltinnPersonRights | None


@asynccontextmanager
async def neighbours(settings: Settings, altinn_budget: Budget) -> AsyncIterator[Neighbours]:
    """The neighbours, with connections that are closed at the end."""
    async with (
        AsyncExitStack() as stack,
        Neighbour(
            settings.enhetsregisteret_url,
            contact=settings.contact,
            ca_file=settings.ca_file,
            within=enhetsregisteret.WITHIN,
            tries=enhetsregisteret.TRIES,
        ) as register_http,
        Neighbour(
            settings.issuer,
            contact=settings.contact,
            ca_file=settings.ca_file,
            within=token_issuer.WITHIN,
            breaker=CircuitBreaker(rest=token_issuer.REST),
        ) as issuer_http,
        Neighbour(
            settings.issuer,
            contact=settings.contact,
            ca_file=settings.ca_file,
            within=login.WITHIN,
        ) as login_http,
    ):
        metadata = Discovery(issuer_http, settings.issuer)
        keys = IssuerJwks(issuer_http, metadata)
        calls = await _altinn_calls(settings, altinn_budget, stack)
        yield Neighbours(
            register=Enhetsregisteret(register_http),
            issuer=RegistrationAtIssuer(issuer_http, metadata, settings.registration_token),
            issuer_keys=keys,
            login=IssuerLogin(
                login_http,
                metadata,
                keys,
                client_id=settings.login_client_id,
                key=LoginKey(settings.login_key),
                with_person_number=calls is not None,
            ),
            issuer_metadata=metadata,
            issuer_http=issuer_http,
            altinn=_altinn(settings, calls) if calls else None,
            person_rights=AltinnPersonRights(calls, _scopes(settings)) if calls else None,
        )


async def _altinn_calls(
    settings: Settings, budget: Budget, stack: AsyncExitStack
) -> AltinnCalls | None:
    """None where the operator has no Altinn."""
    if settings.altinn_url is None or settings.maskinporten_issuer is None:
        return None

    async def reached(url: str, within: float) -> Neighbour:
        return await stack.enter_async_context(
            Neighbour(
                url,
                contact=settings.contact,
                ca_file=settings.ca_file,
                within=within,
                # Counted where the tries are: one organization's trouble is not Altinn's.
                breaker=CircuitBreaker(after=sys.maxsize),
            )
        )

    platform = await reached(settings.altinn_url, altinn_calls.WITHIN)
    tokens = AltinnTokens(
        await reached(settings.maskinporten_issuer, maskinporten.WITHIN),
        platform,
        client_id=settings.maskinporten_client_id,
        key=MaskinportenKey(settings.maskinporten_key),
    )
    key = settings.altinn_subscription_key
    return AltinnCalls(platform, tokens, budget, subscription_key=key)


def _altinn(settings: Settings, calls: AltinnCalls) -> HttpAltinn:
    pages_url = settings.altinn_ui_url or settings.altinn_url
    assert pages_url is not None  # without it there were no calls
    return HttpAltinn(calls, _scopes(settings), pages_url=pages_url)


def _scopes(settings: Settings) -> AltinnScopes:
    return AltinnScopes(
        maskinporten=settings.altinn_scope_maskinporten,
        parties=settings.altinn_scope_parties,
        pdp=settings.altinn_scope_pdp,
        requests=settings.altinn_scope_requests,
    )
