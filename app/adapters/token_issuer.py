"""The token issuer's client registration over HTTP (RFC 7591, RFC 7592).

One management credential speaks for all clients; no registration access token is kept. The
members for tenancy, organizations, claims and the keys' ends are extensions.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, json

from app.adapters.discovery import Discovery
from app.adapters.http import Answer, Neighbour, NoAnswer
from app.publications.token_issuer import IssuerUnavailable, Registration

WITHIN = 2.0
# A client that the issuer cannot take is no reason to spare it; only silence and 5xx are.
REST = 1.0
MOST_KNOWN = 10_000

POST, PUT, DELETE = "POST", "PUT", "DELETE"


class _Metadata(Struct, kw_only=True):
    client_id: str
    client_name: str
    grant_types: list[str]
    response_types: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    scope: str
    token_endpoint_auth_method: str = "private_key_jwt"  # noqa: S105  # the method's name
    jwks: dict[str, list[dict[str, str]]]
    key_ends: dict[str, datetime]
    organization_number: str
    child_organization_numbers: list[str]
    supplier_organization_number: str
    client_tenancy: str
    client_claims: dict[str, str]
    delegators: list[str] | UnsetType = UNSET
    unsigned_scopes: dict[str, list[str]] | UnsetType = UNSET
    blocked: bool


class _Answered(Struct):
    """Of the answer, what we look at."""

    client_id: str | None = None
    error: str | None = None
    error_description: str | None = None


class RegistrationAtIssuer:
    def __init__(self, neighbour: Neighbour, discovery: Discovery, credential: str) -> None:
        self._neighbour = neighbour
        self._discovery = discovery
        self._credential = credential
        self._known: set[UUID] = set()

    async def publish(self, registration: Registration) -> None:
        body = json.encode(_metadata(registration))
        known = registration.client_id in self._known
        first, second = (PUT, POST) if known else (POST, PUT)
        try:
            answer = await self._send(first, registration.client_id, body)
            if _asks_for_other_method(first, answer):
                answer = await self._send(second, registration.client_id, body)
            _check_registered(answer, registration.client_id)
        except NoAnswer as error:
            self._known.discard(registration.client_id)
            raise IssuerUnavailable(f"the issuer's registration: {error}") from error
        self._remember(registration.client_id)

    async def withdraw(self, client_id: UUID) -> None:
        self._known.discard(client_id)
        try:
            answer = await self._send(DELETE, client_id, None)
            if answer.status == 204:
                return
            if answer.status in (401, 404) and await self._is_gone(client_id):
                return
        except NoAnswer as error:
            raise IssuerUnavailable(f"the issuer's registration: {error}") from error
        raise IssuerUnavailable(f"the issuer answered a withdrawal with {_told(answer)}")

    async def _is_gone(self, client_id: UUID) -> bool:
        """401 is said of a client that is not there, and of a credential that is not right.

        Believing the first when the second is true would leave a closed client in use. So the
        client is registered, without keys and blocked, and deleted: a wrong credential cannot.
        """
        answer = await self._send(POST, client_id, json.encode(_nothing(client_id)))
        if answer.status == 201:
            return (await self._send(DELETE, client_id, None)).status == 204
        # It was let in far enough to be told that it is not there and cannot be made like this.
        return answer.status == 400 and not _asks_for_other_method(POST, answer)

    async def _send(self, method: str, client_id: UUID, body: bytes | None) -> Answer:
        url = await self._discovery.endpoint("registration_endpoint")
        if method != POST:
            url = f"{url.rstrip('/')}/{quote(str(client_id))}"
        headers = {"Authorization": f"Bearer {self._credential}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return await self._neighbour.ask(method, url, headers=headers, content=body)

    def _remember(self, client_id: UUID) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.pop()
        self._known.add(client_id)


def _asks_for_other_method(method: str, answer: Answer) -> bool:
    """Registered already, or no longer: an issuer may have been restored from a backup."""
    if method == POST and answer.status == 400:
        said = answer.decoded(_Answered)
        exists = "client_id exists" in (said.error_description or "")
        return said.error == "invalid_client_metadata" and exists
    return method == PUT and answer.status in (401, 404)


def _check_registered(answer: Answer, client_id: UUID) -> None:
    if answer.status not in (200, 201):
        raise NoAnswer(_told(answer))
    if answer.decoded(_Answered).client_id != str(client_id):
        raise NoAnswer("it registered another client_id than ours")


def _told(answer: Answer) -> str:
    """For the log: the code alone, as a description may repeat what we sent."""
    try:
        error = answer.decoded(_Answered).error or ""
    except NoAnswer:
        error = ""
    return f"status {answer.status} {error[:60] if error.isprintable() else ''}".strip()


def _metadata(registration: Registration) -> _Metadata:
    multi = registration.client_tenancy == "multi-tenant"
    return _Metadata(
        client_id=str(registration.client_id),
        client_name=registration.client_name,
        grant_types=registration.grant_types,
        response_types=["code"] if "authorization_code" in registration.grant_types else [],
        redirect_uris=registration.redirect_uris,
        post_logout_redirect_uris=registration.post_logout_redirect_uris,
        scope=" ".join(registration.scopes),
        jwks={"keys": [{**key.parameters, "kid": key.kid} for key in registration.keys]},
        key_ends={key.thumbprint: key.ends_at for key in registration.keys if key.ends_at},
        organization_number=registration.organization_number,
        child_organization_numbers=registration.child_organization_numbers,
        supplier_organization_number=registration.supplier_organization_number,
        client_tenancy=registration.client_tenancy,
        client_claims=registration.client_claims,
        delegators=registration.delegators if multi else UNSET,
        unsigned_scopes=registration.unsigned_scopes if multi else UNSET,
        blocked=registration.blocked,
    )


def _nothing(client_id: UUID) -> dict[str, Any]:
    return {
        "client_id": str(client_id),
        "grant_types": ["client_credentials"],
        "response_types": [],
        "scope": "",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": []},
        "blocked": True,
    }
