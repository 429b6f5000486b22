"""Who calls, and whether they may. A refusal has no body."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn

SUBSCRIPTION_HEADER = "Ocp-Apim-Subscription-Key"

AltinnRequest = Request[object, object, State]


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Caller(Struct, frozen=True):
    claims: Mapping[str, Any]

    @property
    def scopes(self) -> set[str]:
        return set(str(self.claims.get("scope", "")).split())

    @property
    def prefixes(self) -> list[str]:
        return list(self.claims.get("consumer_prefix", []))

    @property
    def organization_number(self) -> str:
        return str(self.claims["consumer"]["ID"]).removeprefix("0192:")


def bearer_token(request: AltinnRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401)
    return token


def demand(request: AltinnRequest, altinn: Altinn, *any_of: str) -> Caller:
    """A caller with Altinn's own token and one of the scopes."""
    claims = altinn.claims_of(bearer_token(request), datetime.now(UTC))
    return _with_scope(claims, any_of)


def demand_either_token(request: AltinnRequest, altinn: Altinn, *any_of: str) -> Caller:
    """As `demand`; Maskinporten's token is as good as Altinn's."""
    token, now = bearer_token(request), datetime.now(UTC)
    claims = altinn.claims_of(token, now) or altinn.maskinporten.claims_of(token, now)
    return _with_scope(claims, any_of)


def demand_subscription(request: AltinnRequest, altinn: Altinn) -> None:
    wanted = altinn.subscription_key
    if wanted and request.headers.get(SUBSCRIPTION_HEADER) != wanted:
        raise Refused(401)


def refused(_: AltinnRequest, refusal: Refused) -> Response[bytes]:
    return Response(b"", status_code=refusal.status)


def _with_scope(claims: Mapping[str, Any] | None, any_of: tuple[str, ...]) -> Caller:
    if claims is None:
        raise Refused(401)
    caller = Caller(claims)
    if not caller.scopes & set(any_of):
        raise Refused(403)
    return caller
