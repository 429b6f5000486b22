from collections.abc import AsyncIterator

import pytest

from app.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=8)
    await database.open()
    yield database
    await database.close()
