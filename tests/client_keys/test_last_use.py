"""When a key was last seen: noted by every call that its proof goes with, once a minute."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.client_keys.models import ClientKey
from app.delegations.models import Delegation
from tests.examples import NOW
from tests.installers.keys import ec_key
from tests.serving import CLIENT_SCOPE, EDI, Client, Service

EVERY_CALL: list[tuple[str, str, Any]] = [
    ("GET", "/v1/client", None),
    ("PUT", "/v1/client", {"apiScopes": [CLIENT_SCOPE, "nhn:msh/api"]}),
    ("GET", "/v1/client-status", None),
    ("GET", "/v1/client-secret", None),
    ("POST", "/v1/client-secret", ec_key().members),
    ("GET", "/v1/client/delegations", None),
    ("GET", "/v1/client/delegations/{delegation}", None),
    ("POST", "/v1/client/delegations/{delegation}/requests", None),
    ("GET", "/v1/multi-tenant-delegations", None),
    ("GET", "/v1/client/key-replacement", None),
    ("GET", "/v1/onboardings/{client}", None),
]


async def last_use(client: Client) -> datetime | None:
    of_key = select(ClientKey).where(ClientKey.thumbprint == client.key.thumbprint)
    [key] = await client.service.ask(of_key)
    found: datetime | None = key.last_used_at
    return found


@pytest.mark.parametrize(("method", "path", "body"), EVERY_CALL)
async def test_every_call_with_a_proof_by_the_key_is_noted(
    service: Service, method: str, path: str, body: Any
) -> None:
    client = await service.client(EDI)
    of_client = select(Delegation).where(Delegation.client_id == client.client_id)
    [delegation] = await service.ask(of_client)
    path = path.format(delegation=delegation.id, client=client.client_id)
    assert await last_use(client) is None
    answer = await client.call(method, path, body)
    assert answer.status_code < 400 or path.endswith("key-replacement"), answer.text
    assert await last_use(client) == NOW

    service.now = NOW + timedelta(seconds=60)
    await client.call(method, path, body)
    assert await last_use(client) == NOW
    service.now = NOW + timedelta(seconds=61)
    await client.call(method, path, body)
    assert await last_use(client) == service.now


async def test_a_key_that_is_another_clients_is_not_noted(service: Service) -> None:
    """Only the token binds a proof's key: it need not be one that is registered for the client."""
    client, other = await service.client(), await service.client()
    answer = await Client(service, client.client_id, other.key).get("/v1/client/delegations")
    assert answer.status_code == 200
    assert await last_use(client) is None
    assert await last_use(other) is None
