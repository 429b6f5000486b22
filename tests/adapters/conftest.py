"""The neighbours' stand-ins, in a process of their own."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from app.sandbox.neighbours import Neighbours
from tests.sandbox.installer import NEIGHBOURS
from tests.sandbox.processes import running


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(NEIGHBOURS, tmp_path_factory.mktemp("neighbours")) as here:
        yield here


@pytest.fixture
async def controls(stand_ins: Neighbours) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stand_ins.neighbours_url, trust_env=False) as client:
        yield client
        await client.delete("/_sandbox/faults")
