from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from typing import Any

import pytest

from app.adapters.token_issuer import RegistrationAtIssuer
from app.apis.queries import Catalogues
from app.database import Database
from app.worker import publication_job
from tests.examples import NOW
from tests.publications.examples import RecordingIssuer, connected


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def recording() -> RecordingIssuer:
    return RecordingIssuer()


@pytest.fixture
async def issuer(recording: RecordingIssuer) -> AsyncIterator[RegistrationAtIssuer]:
    async with connected(recording) as issuer:
        yield issuer


PublishOne = Callable[[], Coroutine[Any, Any, bool]]


@pytest.fixture
def publish_one(database: Database, issuer: RegistrationAtIssuer) -> PublishOne:
    """As the worker does it."""

    def clock() -> datetime:
        return NOW

    job = publication_job(database, issuer, Catalogues(database.sessions), clock)

    async def publish_one() -> bool:
        return await job.run()

    return publish_one
