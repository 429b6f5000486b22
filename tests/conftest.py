"""What every room's tests share: databases, and a browser."""

import gc
import os
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.chromium import ARGUMENTS, find_chromium
from tests.databases import database_server, migrated_template, new_database
from tests.serving import Service, seeded_template, serving

pytest_plugins = ["tests.alone"]


@pytest.hookimpl(tryfirst=True)  # before marks are asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A sandbox that starts a PostgreSQL of its own is the same whichever server is given."""
    for item in items:
        if "server_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    with database_server() as url:
        yield url


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    with migrated_template(server_url) as name:
        yield name


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A database of the test's own, with the schema and nothing in it."""
    with new_database(server_url, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database without a schema."""
    with new_database(server_url) as url:
        yield url


@pytest.fixture(scope="session")
def seeded(server_url: str, template: str) -> Iterator[str]:
    with seeded_template(server_url, template) as name:
        yield name


@pytest.fixture
def seeded_url(server_url: str, seeded: str) -> Iterator[str]:
    """A database of the test's own with the sandbox's catalogue and API keys."""
    with new_database(server_url, seeded) as url:
        yield url


@pytest.fixture
async def service(seeded_url: str) -> AsyncIterator[Service]:
    async with serving(seeded_url) as service:
        yield service


@pytest.fixture
def early_in_the_minute() -> None:
    """Limits are counted by the minute of the real clock: none begins while a test counts."""
    left = 60 - time.time() % 60
    if left < 5:
        time.sleep(left)


@pytest.fixture(scope="module")  # hypothesis wants it so
def heap_of_others_set_aside() -> Iterator[None]:
    """A collection looks at what is made here, not at all that tests before have left."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium. One for each test: it belongs to the event loop that started it."""
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable,
            args=ARGUMENTS,
            env={**os.environ, **chromium.environment},
        )
        yield browser
        await browser.close()
