"""What a person does on the pages, and what is looked at on each of them."""

import os
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.program import Draft

# Also what a parent hides the rest of, which makes no scroll bar.
CUT_OFF = """[...document.querySelectorAll("main *")].filter(element => {
    const frame = element.parentElement.closest(".ds-card, .ds-alert, main");
    return element.getBoundingClientRect().right > frame.getBoundingClientRect().right + 1;
}).map(element => element.outerHTML.slice(0, 100))"""
# Of headings: on more than one line.
BROKEN_WORDS = """[...document.querySelectorAll("h1, h2")].flatMap(heading => {
    const text = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT).nextNode();
    return [...text.data.matchAll(/\\S+/g)].filter(word => {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map(word => word[0]);
})"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""A folder for whoever wants to look at the pages."""


async def log_in(page: Page, button: str = "Logg inn", person: str = "Kari Nordmann") -> None:
    await page.get_by_role("button", name=button, exact=True).click()
    await page.get_by_role("button", name=person).click()


async def open_draft(page: Page, draft: Draft) -> None:
    await page.goto(draft.confirm_url)
    await log_in(page)


async def heading(page: Page) -> str:
    return await page.get_by_role("heading", level=1).inner_text()


async def looked_at(page: Page, name: str) -> None:
    """Nothing for axe-core to find, and nothing that runs out of a narrow window."""
    found = await Axe().run(page, options={"runOnly": WCAG})
    assert found.violations_count == 0, found.generate_report()
    await picture(page, name)
    before = page.viewport_size
    await page.set_viewport_size({"width": 320, "height": 640})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert await page.evaluate(CUT_OFF) == []
    assert await page.evaluate(BROKEN_WORDS) == []
    await picture(page, f"{name}-320")
    assert before is not None
    await page.set_viewport_size(before)


async def picture(page: Page, name: str) -> None:
    if SCREENSHOTS:
        await page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
