"""The browser that the browser tests drive."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

pytestmark = pytest.mark.browser

PAGE = "<html lang=nb><title>Blåbær</title><main><h1>Blåbær</h1>{}</main></html>"


async def findings(browser: Browser, content: str) -> int:
    page = await browser.new_page()
    await page.set_content(PAGE.format(content))
    found = await Axe().run(page)
    version = found.response["testEngine"]["version"]
    assert tuple(map(int, version.split("."))) >= (4, 10)
    return int(found.violations_count)


async def test_the_checker_sees_what_is_wrong_and_only_that(browser: Browser) -> None:
    assert await findings(browser, "<p>Søt.</p>") == 0
    assert await findings(browser, "<img src='data:,'>") == 1
