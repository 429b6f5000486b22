"""Fjord Sky in a real Chromium: the typed code, the way back with the browser, the activation."""

import httpx2
import pytest
from playwright.async_api import Page

from tests.browser.program import WaitingProgram
from tests.browser.steps import heading, log_in, looked_at
from tests.installers.sky import SkyInstaller
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_code_is_typed_and_the_browser_brings_what_activates(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        sky = SkyInstaller(sandbox, http).ask(postClientConfirmationRedirectUri=program.address)
        await page.goto(sky.confirm_url)
        await log_in(page)
        assert sky.pairing_code not in await page.content()
        code = page.get_by_label("Koden som programmet viser")
        await code.fill("BBBB-BBBB")
        await page.get_by_role("button", name="Bekreft", exact=True).click()
        assert "Koden er ikke den samme" in await page.get_by_role("alert").inner_text()
        await looked_at(page, "sky-wrong-code")
        await code.fill(sky.pairing_code.lower().replace("-", " "))
        await page.get_by_role("button", name="Bekreft", exact=True).click()
        await page.wait_for_url(f"{program.address}**")
        [came] = program.came
        assert came.startswith("/done?status=Success&code=")

        await page.goto(sky.confirm_url)
        assert await heading(page) == "Oppsettet er bekreftet, men ikke ferdig"
        await looked_at(page, "sky-awaiting-activation")
        back = page.get_by_role("link", name="Gå tilbake til programmet")
        assert (await back.get_attribute("href") or "").endswith(came)

        assert sky.activate(came).status_code == 200
        sky.log_in()
        await page.reload()
        assert await heading(page) == "Oppsettet er bekreftet"


async def test_a_link_that_was_passed_on_says_where_to_confirm(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        sky = SkyInstaller(sandbox, http).ask(postClientConfirmationRedirectUri=program.address)
    await page.goto(f"{sky.confirm_url}?shared=1")
    await log_in(page)
    shown = await page.get_by_role("main").inner_text()
    assert "Svar på maskinen der programmet kjører" in shown
    assert await page.get_by_role("button", name="Bekreft", exact=True).count() == 0
    await looked_at(page, "sky-shared")
    assert program.came == []
