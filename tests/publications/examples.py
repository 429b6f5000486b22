"""A client with something to publish, and an issuer that notes what it is told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from joserfc.jwk import ECKey
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.discovery import Discovery
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.token_issuer import WITHIN, RegistrationAtIssuer
from app.apis.catalogue import Catalogue, ClientSystem, SystemScope
from app.apis.models import CatalogueVersion
from app.changes.queries import client_changed
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyOrigin
from app.client_keys.wire import StoredKey
from app.clients.models import ClientConfiguration
from app.publications.queries import want_publication
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE, ask, new_client
from tests.examples import NOW
from tests.raw_server import Asked, answer, raw_server

SYSTEM = ClientSystem(
    id="epj",
    name="Fjord EPJ",
    supplier_name="Fjord Systemer AS",
    supplier_organization_number="310700029",
    scopes=[SystemScope(CLIENT_SCOPE)],
    grant_types=["client_credentials"],
    shared_redirect_uris=["https://fjord.example/callback"],
)
WITH_SYSTEM: Catalogue = replace(CATALOGUE, client_systems=[SYSTEM])


async def catalogue_applied(db: AsyncSession, catalogue: Catalogue = WITH_SYSTEM) -> None:
    db.add(CatalogueVersion(content=catalogue, applied_at=NOW))
    await db.flush()


def new_key(client_id: UUID, expires_at: datetime | None = None) -> ClientKey:
    jwk = {**ECKey.generate_key("P-256").as_dict(private=False)}
    parameters = {name: str(value) for name, value in jwk.items()}
    stored = StoredKey(uuid4().hex, uuid4().hex, parameters)
    return ClientKey(
        thumbprint=stored.thumbprint,
        client_id=client_id,
        kid=stored.kid,
        public_key=stored,
        origin=KeyOrigin.API,
        created_at=NOW,
        expires_at=expires_at,
    )


async def client_to_publish(db: AsyncSession) -> tuple[UUID, ClientKey]:
    """With one scope and one key, neither known to the issuer yet."""
    client_id = await new_client(db)
    await ask(db, client_id, [CLIENT_SCOPE])
    key = new_key(client_id)
    db.add(key)
    await want_publication(db, client_id)
    return client_id, key


async def change(db: AsyncSession, client_id: UUID, number: int) -> int:
    """A change that can be told from others by its number: the version that tells the issuer."""
    client = await db.get_one(ClientConfiguration, client_id, with_for_update=True)
    client.post_logout_redirect_uris = [f"https://fjord.example/{number}"]
    wanted = await want_publication(db, client_id)
    await client_changed(db, client_id)
    return wanted


class RecordingIssuer:
    """Knows what it was told in which order, and whether two calls met. Slow, if one likes."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, object]]] = []
        self.under_way: Counter[str] = Counter()
        self.met = False
        self.delay = 0.0
        self.down = False
        self.called = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._known: set[str] = set()

    async def __call__(self, asked: Asked) -> bytes:
        if "well-known" in asked.path:
            origin = f"http://{asked.headers['host']}"
            return answer(200, {"issuer": origin, "registration_endpoint": f"{origin}/register"})
        body: dict[str, object] = msgspec.json.decode(asked.body) if asked.body else {}
        client_id = str(body.get("client_id") or asked.path.rpartition("/")[2])
        self.under_way[client_id] += 1
        self.met = self.met or self.under_way[client_id] > 1
        self.called.set()
        try:
            await self.may_go_on.wait()
            await asyncio.sleep(self.delay)
            return answer(503) if self.down else self._registered(asked.method, client_id, body)
        finally:
            self.under_way[client_id] -= 1

    def _registered(self, method: str, client_id: str, body: dict[str, object]) -> bytes:
        if method == "POST" and client_id in self._known:
            said = {"error": "invalid_client_metadata", "error_description": "client_id exists"}
            return answer(400, said)
        if method != "POST" and client_id not in self._known:
            return answer(401, {"error": "invalid_token"})
        self.told.append((method, client_id, body))
        if method == "DELETE":
            self._known.remove(client_id)
            return answer(204)
        self._known.add(client_id)
        return answer(201 if method == "POST" else 200, body)

    async def heard_of(self, client_id: UUID, number: int) -> None:
        for _ in range(1000):
            if number in self.numbers(client_id):
                return
            await asyncio.sleep(0.01)
        raise TimeoutError

    def numbers(self, client_id: UUID) -> list[int]:
        """Of the changes it was told of."""
        return [
            int(str(uri).rpartition("/")[2])
            for _, about, body in self.told
            if about == str(client_id)
            for uri in msgspec.convert(body["post_logout_redirect_uris"], list[str])
        ]


@asynccontextmanager
async def connected(recording: RecordingIssuer) -> AsyncIterator[RegistrationAtIssuer]:
    async with (
        raw_server(recording) as server,
        Neighbour(
            server.url,
            contact="x",
            within=WITHIN,
            breaker=CircuitBreaker(after=10_000),
        ) as neighbour,
    ):
        yield RegistrationAtIssuer(neighbour, Discovery(neighbour, server.url), "x" * 32)
