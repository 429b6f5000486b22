"""The neighbours in-process; clients are new in each test, so one process serves them all."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from litestar.types import ASGIApp

from app.sandbox.app import app_for
from tests.sandbox.installer import NEIGHBOURS, Installer
from tests.sandbox.service_owner import AltinnWorld, ServiceOwner


@pytest.fixture(scope="session")
def shared_neighbours() -> ASGIApp:
    return app_for(NEIGHBOURS)


@pytest.fixture
async def http(shared_neighbours: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with connected(shared_neighbours) as client:
        yield client


@pytest.fixture
async def own_http() -> AsyncIterator[httpx2.AsyncClient]:
    """Neighbours of the test's own, for what the other tests would notice."""
    async with connected(app_for(NEIGHBOURS)) as client:
        yield client


def connected(app: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar's own ASGI types
    return httpx2.AsyncClient(transport=transport, base_url=NEIGHBOURS.neighbours_url)


@pytest.fixture
async def installer(http: httpx2.AsyncClient) -> Installer:
    """A client that is fine."""
    return await Installer(http).register()


@pytest.fixture(scope="session")
def altinn_world() -> AltinnWorld:
    return AltinnWorld()


@pytest.fixture
async def owner(altinn_world: AltinnWorld) -> AsyncIterator[ServiceOwner]:
    """A program at Maskinporten and Altinn, where nothing has happened yet."""
    async with connected(altinn_world.app) as http:
        await http.post("/_sandbox/reset")
        yield altinn_world.service_owner(http)
