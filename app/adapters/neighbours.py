"""Everybody this service talks to, made from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from app.adapters import enhetsregisteret, login, token_issuer
from app.adapters.discovery import Discovery
from app.adapters.enhetsregisteret import Enhetsregisteret
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.issuer_keys import IssuerJwks
from app.adapters.login import IssuerLogin, LoginKey
from app.adapters.token_issuer import RegistrationAtIssuer
from app.settings import Settings


class Neighbours(Struct):
    register: Enhetsregisteret
    issuer: RegistrationAtIssuer
    issuer_keys: IssuerJwks
    login: IssuerLogin
    issuer_metadata: Discovery
    issuer_http: Neighbour


@asynccontextmanager
async def neighbours(settings: Settings) -> AsyncIterator[Neighbours]:
    """The neighbours, with connections that are closed at the end."""
    async with (
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
            ),
            issuer_metadata=metadata,
            issuer_http=issuer_http,
        )
