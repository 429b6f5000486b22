"""A sandbox, a Chromium, and a program that waits for the browser: one of each for all tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests import sandboxes
from tests.browser.program import WaitingProgram, waiting_program
from tests.chromium import ARGUMENTS, find_chromium


@pytest.fixture(scope="session")
def sandbox() -> Iterator[sandboxes.Ready]:
    with sandboxes.sandbox() as running:
        yield running.ready


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable,
            args=[*ARGUMENTS, "--no-proxy-server"],
            env={**chromium.environment},
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="nb-NO")
    page = await context.new_page()
    page.set_default_timeout(10_000)
    yield page
    await context.close()


@pytest.fixture
def program() -> Iterator[WaitingProgram]:
    with waiting_program() as program:
        yield program
