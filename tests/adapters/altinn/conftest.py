"""The stand-in for Altinn, in a process of its own, and the adapter that calls it."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from app.adapters.altinn import HttpAltinn
from app.sandbox.neighbours import Neighbours
from tests.adapters.altinn.calling import altinn_at
from tests.sandbox.processes import running
from tests.sandbox.service_owner import WORLD


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(WORLD, tmp_path_factory.mktemp("altinn")) as here:
        yield here


@pytest.fixture
async def controls(world: Neighbours) -> AsyncIterator[httpx2.AsyncClient]:
    url = f"{world.neighbours_url}/_sandbox"
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
        await client.delete("/faults")
        await client.put("/altinn/settings", json={})


@pytest.fixture
async def altinn(world: Neighbours) -> AsyncIterator[HttpAltinn]:
    async with altinn_at(
        world.altinn_url, world.maskinporten_url, pages_url=world.altinn_pages_url
    ) as altinn:
        yield altinn
