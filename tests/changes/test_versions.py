"""Versions of what a client reads: every read has one, and every change can demand one."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.apis.models import CatalogueVersion
from app.apis.queries import newest_catalogue
from app.changes.queries import check_version, client_changed
from app.client_keys.models import ClientKey
from app.delegations.models import Delegation
from app.web.conditional import PreconditionFailed
from tests.installers.keys import ec_key
from tests.serving import CLIENT_SCOPE, EDI, Client, Service, problem_of

MSH = "nhn:msh/api"
READS = [
    "/v1/client",
    "/v1/client-status",
    "/v1/client-secret",
    "/v1/client-secret?include=all",
    "/v1/client/delegations",
    "/v1/client/delegations/{delegation}",
    "/v1/multi-tenant-delegations",
]


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client(EDI, apiScopes=[CLIENT_SCOPE, MSH])


async def delegation_of(client: Client) -> UUID:
    found = select(Delegation.id).where(Delegation.client_id == client.client_id)
    delegation: UUID = (await client.service.ask(found))[0]
    return delegation


async def change(client: Client) -> None:
    async with client.service.database.sessions.begin() as db:
        await client_changed(db, client.client_id)


@pytest.mark.parametrize("path", READS)
async def test_what_the_caller_has_is_not_sent_again(client: Client, path: str) -> None:
    path = path.format(delegation=await delegation_of(client))
    first = await client.get(path)
    tag = first.headers["etag"]
    assert (first.status_code, tag.startswith('W/"')) == (200, True)
    again = await client.get(path, If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers.get("vary") == first.headers.get("vary")
    await change(client)
    after = await client.get(path, If_None_Match=tag)
    assert (after.status_code, after.headers["etag"] == tag) == (200, False)


async def test_another_catalogue_is_another_version(client: Client) -> None:
    tag = (await client.get()).headers["etag"]
    async with client.service.database.sessions.begin() as db:
        row = await newest_catalogue(db)
        assert row is not None
        db.add(CatalogueVersion(content=row.content, applied_at=row.applied_at))
    assert (await client.get(If_None_Match=tag)).status_code == 200


async def put(client: Client, **headers: str) -> Response:
    return await client.put({"apiScopes": [CLIENT_SCOPE]}, **headers)


async def add_key(client: Client, **headers: str) -> Response:
    return await client.post_key(ec_key().members, **headers)


async def retire(client: Client, **headers: str) -> Response:
    path = f"/v1/client-secret/{client.key.thumbprint}?graceSeconds=60"
    return await client.call("DELETE", path, **headers)


async def request_right(client: Client, **headers: str) -> Response:
    path = f"/v1/client/delegations/{await delegation_of(client)}/requests"
    return await client.call("POST", path, **headers)


CHANGES = [put, add_key, retire, request_right]


@pytest.mark.parametrize("make_change", CHANGES)
async def test_a_change_of_what_has_not_been_seen_is_refused(
    client: Client, make_change: Callable[..., Awaitable[Response]]
) -> None:
    await add_key(client)  # so that one may be retired
    seen = (await client.get()).headers["etag"]
    await change(client)
    before = (await client.get()).headers["etag"]
    refused = await make_change(client, If_Match=seen)
    assert refused.status_code == 412
    assert problem_of(refused)["type"].endswith("/precondition-failed")
    assert (await client.get()).headers["etag"] == before
    # The tag of any read will do.
    current = (await client.get("/v1/client-secret")).headers["etag"]
    fine = await make_change(client, If_Match=f'W/"0-nb", {current}')
    assert fine.status_code in (200, 204), fine.text


async def test_a_refused_key_is_not_added(client: Client) -> None:
    await add_key(client, If_Match='W/"0"')
    keys = select(ClientKey.thumbprint).where(ClientKey.client_id == client.client_id)
    assert await client.service.ask(keys) == [client.key.thumbprint]


async def test_a_key_that_is_there_already_is_answered_whatever_was_seen(client: Client) -> None:
    key = ec_key().members
    seen = (await client.get()).headers["etag"]
    assert (await client.post_key(key, If_Match=seen)).status_code == 200
    assert (await client.post_key(key, If_Match=seen)).status_code == 200


@pytest.mark.race
async def test_of_eight_changes_of_one_version_one_wins(client: Client) -> None:
    seen = (await client.get()).headers["etag"]

    async def one(number: int) -> int:
        if number % 2:
            return (await add_key(client, If_Match=seen)).status_code
        return (await put(client, If_Match=seen)).status_code

    statuses = await asyncio.gather(*(one(number) for number in range(8)))
    assert sorted(statuses)[1:] == [412] * 7, statuses
    assert min(statuses) in (200, 204)


@pytest.mark.race
async def test_a_change_of_somebody_else_between_look_and_change_is_seen(client: Client) -> None:
    """Owners' decisions and Altinn's answers do not lock the client."""
    seen: list[int] = []

    def check(counter: int) -> None:
        if seen and counter != seen[0]:
            raise PreconditionFailed
        seen.append(counter)

    async with client.service.database.sessions() as db:
        await check_version(db, client.client_id, check)
        await change(client)
        with pytest.raises(PreconditionFailed):
            await client_changed(db, client.client_id)
