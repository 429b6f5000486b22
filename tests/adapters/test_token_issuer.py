"""Registration at the token issuer, and everything that must not pass for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from app.adapters.discovery import Discovery
from app.adapters.http import Neighbour
from app.adapters.token_issuer import WITHIN, RegistrationAtIssuer
from app.publications.token_issuer import IssuerUnavailable, PublishedKey, Registration
from app.sandbox.neighbours import Neighbours
from tests.raw_server import Asked, RawServer, answer, raw_server
from tests.sandbox.installer import CREDENTIAL, EC_KEY, NEIGHBOURS

JWK = {name: str(value) for name, value in EC_KEY.as_dict(private=False).items()}
END = datetime(2027, 11, 22, tzinfo=UTC)


def registration(client_id: UUID | None = None) -> Registration:
    return Registration(
        client_id=client_id or uuid4(),
        client_name="Fjord EPJ – Fjordbyen legesenter AS",  # noqa: RUF001
        grant_types=["client_credentials", "authorization_code"],
        scopes=["nhn:selvbetjening/client", "nhn:msh/api"],
        redirect_uris=["http://localhost:1234/callback"],
        post_logout_redirect_uris=[],
        keys=[PublishedKey(EC_KEY.thumbprint(), "my kid", JWK, END)],
        organization_number="310000019",
        child_organization_numbers=["310000175"],
        supplier_organization_number="310700029",
        client_tenancy="single-tenant",
        client_claims={"herid": "0"},
        delegators=[],
        blocked=False,
    )


@asynccontextmanager
async def issuer_at(
    url: str, credential: str = NEIGHBOURS.registration_token
) -> AsyncIterator[RegistrationAtIssuer]:
    async with Neighbour(url, contact="test@example.org", within=WITHIN) as neighbour:
        yield RegistrationAtIssuer(neighbour, Discovery(neighbour, url), credential)


@pytest.fixture
async def issuer(stand_ins: Neighbours) -> AsyncIterator[RegistrationAtIssuer]:
    async with issuer_at(stand_ins.issuer_url) as issuer:
        yield issuer


Registered = Callable[[UUID], Awaitable[dict[str, Any] | None]]


@pytest.fixture
async def registered(controls: httpx2.AsyncClient) -> Registered:
    async def read(client_id: UUID) -> dict[str, Any] | None:
        answered = await controls.get(f"/sts/connect/register/{client_id}", headers=CREDENTIAL)
        return answered.json() if answered.status_code == 200 else None

    return read


async def test_the_issuer_knows_all_that_it_was_told(
    issuer: RegistrationAtIssuer, registered: Registered
) -> None:
    told = registration()
    await issuer.publish(told)
    known = await registered(told.client_id)
    assert known is not None
    assert known["client_name"] == told.client_name
    assert known["scope"] == "nhn:selvbetjening/client nhn:msh/api"
    assert known["jwks"]["keys"] == [{**JWK, "kid": "my kid"}]
    assert known["key_ends"] == {EC_KEY.thumbprint(): "2027-11-22T00:00:00Z"}
    assert known["client_claims"] == {"herid": "0"}
    assert known["response_types"] == ["code"]


async def test_what_is_told_again_replaces_what_was_known(
    issuer: RegistrationAtIssuer, registered: Registered, stand_ins: Neighbours
) -> None:
    first = registration()
    await issuer.publish(first)
    await issuer.publish(replace(first, scopes=["nhn:msh/api"]))
    known = await registered(first.client_id)
    assert known is not None
    assert known["scope"] == "nhn:msh/api"
    async with issuer_at(stand_ins.issuer_url) as another_process:
        await another_process.publish(replace(first, scopes=[], keys=[], blocked=True))
    known = await registered(first.client_id)
    assert known is not None
    assert known["blocked"]
    assert known["jwks"] == {"keys": []}


async def test_a_client_that_the_issuer_has_lost_is_registered_anew(
    issuer: RegistrationAtIssuer, registered: Registered, controls: httpx2.AsyncClient
) -> None:
    told = registration()
    await issuer.publish(told)
    await controls.delete(f"/sts/connect/register/{told.client_id}", headers=CREDENTIAL)
    await issuer.publish(told)
    assert await registered(told.client_id) is not None


async def test_a_withdrawn_client_is_gone_and_may_be_withdrawn_again(
    issuer: RegistrationAtIssuer, registered: Registered
) -> None:
    told = registration()
    await issuer.publish(told)
    await issuer.withdraw(told.client_id)
    assert await registered(told.client_id) is None
    await issuer.withdraw(told.client_id)
    assert await registered(told.client_id) is None


async def test_a_wrong_credential_never_passes_for_success(
    issuer: RegistrationAtIssuer, registered: Registered, stand_ins: Neighbours
) -> None:
    told = registration()
    await issuer.publish(told)
    async with issuer_at(stand_ins.issuer_url, "not-the-credential-of-the-issuer") as stranger:
        with pytest.raises(IssuerUnavailable, match="401"):
            await stranger.withdraw(told.client_id)
        with pytest.raises(IssuerUnavailable, match="401") as refused:
            await stranger.publish(told)
    assert "not-the-credential" not in repr(refused.value)
    assert await registered(told.client_id) is not None


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"status": 429}, {"drop": True}, {"malformed": True}, {"delayMs": 9000}],
    ids=str,
)
async def test_failing_is_not_success(
    issuer: RegistrationAtIssuer, controls: httpx2.AsyncClient, fault: dict[str, object]
) -> None:
    fault = {"target": "issuer", "path": "/connect/register*", **fault}
    await controls.put("/_sandbox/faults", json=[fault])
    with pytest.raises(IssuerUnavailable):
        await issuer.publish(registration())
    with pytest.raises(IssuerUnavailable):
        await issuer.withdraw(uuid4())


async def test_an_answer_that_was_lost_is_made_up_for(
    issuer: RegistrationAtIssuer, registered: Registered, controls: httpx2.AsyncClient
) -> None:
    fault = {"target": "issuer", "path": "/connect/register", "loseAnswer": True, "times": 1}
    await controls.put("/_sandbox/faults", json=[fault])
    told = registration()
    with pytest.raises(IssuerUnavailable):
        await issuer.publish(told)
    assert await registered(told.client_id) is not None
    await issuer.publish(told)


@asynccontextmanager
async def saying(
    registering: bytes, metadata: dict[str, object] | None = None
) -> AsyncIterator[tuple[RawServer, RegistrationAtIssuer]]:
    """An issuer that answers each registration in one way."""

    async def handler(asked: Asked) -> bytes:
        if "well-known" not in asked.path:
            return registering
        origin = f"http://{asked.headers['host']}"
        described = {"issuer": origin, "registration_endpoint": f"{origin}/register"}
        return answer(200, described | (metadata or {}))

    async with raw_server(handler) as server, issuer_at(server.url) as issuer:
        yield server, issuer


@pytest.mark.parametrize(
    "content",
    [
        answer(201, {"client_id": str(uuid4())}),
        answer(201, {"client_name": "no id"}),
        answer(201, b"<html></html>", media_type="text/html"),
        answer(201, b"[]"),
        answer(204),
        answer(302, headers={"Location": "/elsewhere"}),
        answer(400, {"error": "invalid_client_metadata", "error_description": "bad scope"}),
        answer(400, {"error": "invalid_client_metadata", "error_description": "client_id exists"}),
        answer(401, {"error": "invalid_token"}),
        answer(403, {"error": "insufficient_scope"}),
    ],
    ids=lambda content: repr(content[:24]),
)
async def test_only_our_own_client_id_in_a_success_counts(content: bytes) -> None:
    async with saying(content) as (_, issuer):
        with pytest.raises(IssuerUnavailable):
            await issuer.publish(registration())


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://somebody-else"},
        {"registration_endpoint": "http://127.0.0.1:1/register"},
        {"registration_endpoint": "https://127.0.0.1/register"},
        {"registration_endpoint": None},
        {"registration_endpoint": "http://[broken"},
    ],
    ids=str,
)
async def test_the_credential_goes_nowhere_but_to_the_issuer(metadata: dict[str, object]) -> None:
    async with saying(answer(500), metadata) as (server, issuer):
        with pytest.raises(IssuerUnavailable):
            await issuer.publish(registration())
        assert not any("authorization" in asked.headers for asked in server.asked)


async def test_a_redirect_is_not_followed_with_the_credential() -> None:
    async with saying(answer(307, headers={"Location": "/elsewhere"})) as (server, issuer):
        with pytest.raises(IssuerUnavailable):
            await issuer.publish(registration())
        assert "POST /elsewhere" not in server.paths()


async def test_discovery_is_asked_for_once() -> None:
    async with saying(answer(500)) as (server, issuer):
        for _ in range(3):
            with pytest.raises(IssuerUnavailable):
                await issuer.publish(registration())
        assert server.paths().count("GET /.well-known/openid-configuration") == 1


async def test_delegators_are_told_of_multi_tenant_clients_only() -> None:
    async with saying(answer(500)) as (server, issuer):
        for tenancy in ("single-tenant", "multi-tenant"):
            told = replace(
                registration(),
                client_tenancy=tenancy,
                delegators=["310000027"],
                unsigned_scopes={"310000027": ["nhn:msh/api"]},
            )
            with pytest.raises(IssuerUnavailable):
                await issuer.publish(told)
    single, multi = (msgspec.json.decode(asked.body) for asked in server.asked if asked.body)
    assert "delegators" not in single
    assert "unsigned_scopes" not in single
    assert multi["delegators"] == ["310000027"]
    assert multi["unsigned_scopes"] == {"310000027": ["nhn:msh/api"]}
