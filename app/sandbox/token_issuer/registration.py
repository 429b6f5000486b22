"""Client registration and its management (RFC 7591, RFC 7592), with one credential for all."""

import hmac
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath

from app.sandbox.token_issuer.client_store import Client, ClientMetadata
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import UnusableKey

PATH = "/connect/register"


class RegistrationError(Exception):
    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def registration_error(_: IssuerRequest, error: RegistrationError) -> Response[dict[str, str]]:
    body = {"error": error.error, "error_description": error.description}
    challenge = {"WWW-Authenticate": f'Bearer error="{error.error}"'} if error.status == 401 else {}
    return Response(body, status_code=error.status, headers=NO_STORE | challenge)


async def demand_credential(
    connection: ASGIConnection[Any, Any, Any, State], _: BaseRouteHandler
) -> None:
    issuer: Issuer = connection.app.state.issuer
    expected = f"Bearer {issuer.registration_token}"
    given = connection.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise RegistrationError("invalid_token", "the management credential is wrong", 401)


@post("/")
async def register_client(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    metadata = _metadata(await request.body())
    client_id = metadata.client_id or str(uuid4())
    if issuer.clients.registered(client_id) is not None:
        raise RegistrationError("invalid_client_metadata", "client_id exists")
    client = _put(issuer, client_id, metadata)
    return Response(_described(issuer, client), status_code=201, headers=NO_STORE)


@get("/{client_id:str}")
async def read_registration(
    client_id: FromPath[str], issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    return Response(_described(issuer, _known(issuer, client_id)), headers=NO_STORE)


@put("/{client_id:str}")
async def replace_registration(
    client_id: FromPath[str], request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    _known(issuer, client_id)
    metadata = _metadata(await request.body())
    if metadata.client_id not in (None, client_id):
        raise RegistrationError("invalid_client_metadata", "client_id cannot be changed")
    return Response(_described(issuer, _put(issuer, client_id, metadata)), headers=NO_STORE)


@delete("/{client_id:str}")
async def remove_registration(client_id: FromPath[str], issuer: NamedDependency[Issuer]) -> None:
    _known(issuer, client_id)
    issuer.clients.remove(client_id)


def _known(issuer: Issuer, client_id: str) -> Client:
    """A client that is not there is answered as RFC 7592 section 2.1 says."""
    client = issuer.clients.registered(client_id)
    if client is None:
        raise RegistrationError("invalid_token", "no such client", 401)
    return client


def _metadata(body: bytes) -> ClientMetadata:
    try:
        metadata = msgspec.json.decode(body, type=ClientMetadata)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RegistrationError("invalid_client_metadata", str(error)) from error
    for uri in metadata.redirect_uris:
        if "://" not in uri or "#" in uri:
            raise RegistrationError("invalid_redirect_uri", f"{uri} is not an absolute address")
    return metadata


def _put(issuer: Issuer, client_id: str, metadata: ClientMetadata) -> Client:
    try:
        return issuer.clients.put(client_id, metadata, datetime.now(UTC))
    except UnusableKey as error:
        raise RegistrationError("invalid_client_metadata", f"jwks: {error}") from error


def _described(issuer: Issuer, client: Client) -> dict[str, Any]:
    """Everything that was registered, defaults included."""
    values: dict[str, Any] = msgspec.to_builtins(client.metadata)
    return {
        **values,
        "client_id": client.client_id,
        "client_name": client.metadata.client_name,
        "grant_types": client.metadata.grant_types,
        "scope": client.metadata.scope,
        "token_endpoint_auth_method": client.metadata.token_endpoint_auth_method,
        "client_id_issued_at": int(client.created.timestamp()),
        "registration_client_uri": f"{issuer.registration_endpoint}/{client.client_id}",
    }


registration_router = Router(
    path=PATH,
    guards=[demand_credential],
    route_handlers=[
        register_client,
        read_registration,
        replace_registration,
        remove_registration,
    ],
)
