"""Finding out who is calling, from the headers of a request and nothing else.

A refused caller has caused one look-up at most; the body has not been read.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec import Struct
from sqlalchemy import bindparam, or_, select, update

from app.access.access_tokens import (
    AccessTokenRejected,
    VerifiedToken,
    VerifiedTokens,
    check_possession,
    check_scope,
)
from app.access.callers import CallingClient, CallingSystem, Origin
from app.access.credentials import Credentials, check_scheme, presented_credentials
from app.access.dpop import Proof, ProofRejected, verified_proof
from app.access.limits import MINUTE, Limit, Refused, exceeded
from app.access.models import ApiKey
from app.access.onboarding_tokens import OnboardingToken, looks_like_onboarding_token
from app.access.replay import spend
from app.database import Database, HotStatement
from app.problems import Problem
from app.settings import Settings
from app.web.frame import network_of

USE_IS_NOTED_EVERY = timedelta(minutes=1)

_API_KEY = HotStatement(
    select(ApiKey.prefix, ApiKey.client_system_id, ApiKey.revoked_at, ApiKey.last_used_at).where(
        ApiKey.digest == bindparam("digest")
    )
)
_NOTE_USE = HotStatement(
    update(ApiKey)
    .where(
        ApiKey.digest == bindparam("of_digest"),
        or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < bindparam("now")),
    )
    .values(last_used_at=bindparam("now"))
    .returning(ApiKey.prefix)
)


class ApiKeyRejected(Problem):
    """One refusal for a missing, an unknown and a revoked key."""

    slug = "api-key-rejected"
    title = "The API key does not open this"
    status = HTTPStatus.UNAUTHORIZED

    def __init__(self) -> None:
        super().__init__(
            "Send the API key of your client system in the header `api-key`. A revoked key is "
            "replaced by a new one from the service's operator.",
            headers={"WWW-Authenticate": 'ApiKey realm="client-drafts"'},
        )


def origin_of(request: Request[Any, Any, Any]) -> Origin:
    state = request.scope["state"]
    return Origin(state["address"], state["trace_id"])


async def calling_system(request: Request[Any, Any, Any]) -> CallingSystem:
    """The client system whose API key the request carries, or has carried within a minute.

    A key can be revoked within that minute: what it opens asks about it again, by its prefix,
    together with all else that has to be known.
    """
    keys = [value for name, value in request.scope["headers"] if name == b"api-key"]
    if len(keys) != 1:
        raise ApiKeyRejected
    digest = hashlib.sha256(keys[0]).digest()
    _refuse_if_failing(request, digest)
    key = await _good_key(request, digest)
    if key is None:
        await _count_failure(request, digest)
        raise ApiKeyRejected
    caller = CallingSystem(key.client_system_id, key.prefix, origin_of(request))
    request.scope["state"]["caller"] = caller.actor.name
    return caller


class GoodKey(Struct, frozen=True):
    """An API key that was good when it was last looked up."""

    prefix: str
    client_system_id: str
    looked_up_at: datetime


async def _good_key(request: Request[Any, Any, Any], digest: bytes) -> GoodKey | None:
    remembered: dict[bytes, GoodKey] = request.app.state.good_keys
    key, now = remembered.get(digest), request.app.state.clock()
    if key is not None and timedelta(0) <= now - key.looked_up_at <= USE_IS_NOTED_EVERY:
        return key
    remembered.pop(digest, None)
    async with request.app.state.database.reads.acquire() as connection:
        row = await _API_KEY.row(connection, digest=digest)
        if row is None or row["revoked_at"] is not None:
            return None
        if row["last_used_at"] is None or now - row["last_used_at"] > USE_IS_NOTED_EVERY:
            await _NOTE_USE.row(connection, of_digest=digest, now=now)
    remembered[digest] = GoodKey(row["prefix"], row["client_system_id"], now)
    return remembered[digest]


async def client_that_reads(request: Request[Any, Any, Any]) -> CallingClient:
    """The client whose token and proof the request carries, for a request that changes nothing."""
    return await _calling_client(request, changes=False)


async def client_that_changes(request: Request[Any, Any, Any]) -> CallingClient:
    """The same for a change: its proof is spent durably before anything is done."""
    return await _calling_client(request, changes=True)


async def _calling_client(request: Request[Any, Any, Any], *, changes: bool) -> CallingClient:
    settings: Settings = request.app.state.settings
    credentials = presented_credentials(
        request.scope["headers"], allow_bearer=settings.allow_bearer
    )
    digest = _digest(credentials.token)
    _refuse_if_failing(request, digest)
    try:
        token, proof = await _verified(request, settings, credentials)
        await _spend(request.app.state.database, proof, changes=changes)
    except (AccessTokenRejected, ProofRejected):
        await _count_failure(request, digest)
        raise
    check_scope(token, settings.client_scope)
    caller = CallingClient(
        client_id=_uuid(token, settings),
        key_thumbprint=proof.key_thumbprint if proof else None,
        origin=origin_of(request),
    )
    request.scope["state"]["caller"] = caller.actor.name
    return caller


async def reader_of_onboarding(
    request: Request[Any, Any, Any],
) -> CallingClient | OnboardingToken:
    """The client itself, or an onboarding token, of which nothing has been checked yet."""
    return _presented_onboarding_token(request) or await client_that_reads(request)


async def check_token_again(request: Request[Any, Any, Any]) -> None:
    """Refuse a held request whose access token has ended meanwhile; its proof is spent."""
    settings: Settings = request.app.state.settings
    if _presented_onboarding_token(request) is None:
        credentials = presented_credentials(
            request.scope["headers"], allow_bearer=settings.allow_bearer
        )
        tokens: VerifiedTokens = request.app.state.tokens
        await tokens.verified(credentials.token, now=datetime.now(UTC))


async def onboarding_token_of(request: Request[Any, Any, Any]) -> OnboardingToken:
    """The same where only the token will do."""
    token = _presented_onboarding_token(request)
    if token is None:
        raise AccessTokenRejected(
            "This takes the onboarding token that came with the draft.", allow_bearer=True
        )
    return token


def _presented_onboarding_token(request: Request[Any, Any, Any]) -> OnboardingToken | None:
    sent = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not sent:
        raise AccessTokenRejected(
            "Send the onboarding token that came with the draft: `Authorization: Bearer <token>`, "
            "or an access token of the client's own with its proof.",
            allow_bearer=True,
            sent=False,
        )
    scheme, _, value = sent[0].decode("latin-1").partition(" ")
    token = value.strip()
    is_one = scheme.lower() == "bearer" and looks_like_onboarding_token(token)
    if len(sent) > 1 or not is_one:
        return None
    _refuse_if_failing(request, _digest(token))
    request.scope["state"]["caller"] = "onboarding-token"
    return OnboardingToken(token)


async def count_failed_token(request: Request[Any, Any, Any], token: OnboardingToken) -> None:
    """It opened nothing. Past the limit this refuses by itself."""
    await _count_failure(request, _digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def _verified(
    request: Request[Any, Any, Any], settings: Settings, credentials: Credentials
) -> tuple[VerifiedToken, Proof | None]:
    now = datetime.now(UTC)  # tokens and proofs are never judged by the domain's clock
    tokens: VerifiedTokens = request.app.state.tokens
    token = await tokens.verified(credentials.token, now=now)
    check_scheme(token, credentials, allow_bearer=settings.allow_bearer)
    if credentials.proof is None:
        return token, None
    path = request.scope["raw_path"].decode("latin-1")
    proof = verified_proof(
        credentials.proof,
        method=request.scope["method"],
        urls=[base + path for base in settings.public_base_urls],
        access_token=credentials.token,
        now=now,
        not_before=settings.proofs_not_before,
    )
    check_possession(token, proof, allow_bearer=settings.allow_bearer)
    return token, proof


async def _spend(database: Database, proof: Proof | None, *, changes: bool) -> None:
    if proof is not None:
        pool = database.writes if changes else database.reads
        async with pool.acquire() as connection:
            await spend(connection, proof)


def _uuid(token: VerifiedToken, settings: Settings) -> UUID:
    """Only ids that this service gives out are UUIDs; another client has no business here."""
    try:
        return UUID(token.client_id)
    except ValueError:
        raise AccessTokenRejected(
            "The access token belongs to a client that was not made here.",
            allow_bearer=settings.allow_bearer,
        ) from None


def _failures(request: Request[Any, Any, Any], digest: bytes) -> Limit:
    """Counted by the caller's network and what he presented: nobody can shut out another."""
    settings: Settings = request.app.state.settings
    network = network_of(request.scope["state"]["address"])
    return Limit(
        f"failed {network} {digest.hex()[:32]}",
        MINUTE,
        settings.failed_logins_per_minute,
        "failed attempts a minute with the same key or token",
    )


def _refuse_if_failing(request: Request[Any, Any, Any], digest: bytes) -> None:
    refused: Refused = request.app.state.failing
    if len(refused):  # seldom: whoever is good does not pay for being named
        refused.check(_failures(request, digest), datetime.now(UTC))


async def _count_failure(request: Request[Any, Any, Any], digest: bytes) -> None:
    """Past the limit the refusal is remembered here, so that good calls pay for no look-up."""
    limit, now = _failures(request, digest), datetime.now(UTC)
    database: Database = request.app.state.database
    async with database.reads.acquire() as connection:
        if await exceeded(connection, [limit], now):
            refused: Refused = request.app.state.failing
            refused.add(limit, now)
            raise limit.refusal(now)
