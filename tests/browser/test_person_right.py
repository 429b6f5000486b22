"""Who may confirm: from "you may not" by way of a colleague to "confirmed", and parking."""

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.browser.program import WaitingProgram, ask_for_client
from tests.browser.steps import heading, log_in, looked_at, open_draft
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOT_KARIS = "310000035"
RIGHT = "nhn-helseid-ta-i-bruk"


async def control(sandbox: Ready, method: str, path: str, body: object = None) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
        answer = await http.request(method, f"{sandbox.control_url}{path}", json=body)
    assert answer.is_success, answer.text


async def change_right(sandbox: Ready, action: str) -> None:
    change = {"from": NOT_KARIS, "to": "Kari Nordmann", "right": RIGHT, "action": action}
    await control(sandbox, "POST", "/delegations", change)


async def test_who_may_not_confirm_passes_it_on_and_confirms_once_the_right_is_given(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address, organizationNumber=NOT_KARIS)
    await open_draft(page, draft)
    assert await heading(page) == "Du kan ikke bekrefte for virksomheten"
    await looked_at(page, "no-right")
    shown = await page.get_by_role("main").inner_text()
    assert "tilgangsstyring" in shown
    assert "nhn:selvbetjening/client" not in shown
    await page.get_by_role("button", name="Lag tekst til å sende").click()
    await looked_at(page, "passed-on")
    said = await page.get_by_label("Tekst å sende (Bokmål)").input_value()
    assert f"{draft.confirm_url}?shared=1&lang=nb" in said
    assert draft.pairing_code in said
    mail = page.get_by_role("link", name="Åpne i e-postprogrammet (English)")
    assert (await mail.get_attribute("href") or "").startswith("mailto:?subject=")
    leave = page.get_by_role("link", name="Gå tilbake til programmet uten å svare")
    assert await leave.get_attribute("href") == f"{program.address}?status=Rejected"

    await change_right(sandbox, "grant")
    try:
        await page.get_by_role("link", name="Sjekk rettigheten på nytt").click()
        assert await heading(page) == "Bekreft oppsett av HelseID"
        await page.get_by_role("button", name="Bekreft", exact=True).click()
        await page.wait_for_url(f"{program.address}**")
        assert program.came == ["/done?status=Success"]
    finally:
        await change_right(sandbox, "revoke")


async def test_one_who_leaves_without_the_right_changes_nothing(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await page.goto(draft.confirm_url)
    await log_in(page, person="Ola Uten Rett")
    await page.get_by_role("link", name="Gå tilbake til programmet uten å svare").click()
    assert program.came == ["/done?status=Rejected"]
    await page.context.clear_cookies()
    await open_draft(page, draft)
    assert await heading(page) == "Bekreft oppsett av HelseID"


async def test_a_shared_link_ends_on_a_page_of_ours(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await page.goto(draft.share_url)
    await log_in(page)
    await looked_at(page, "shared")
    await page.get_by_label("Koden du har fått").fill(draft.pairing_code)
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    assert await heading(page) == "Oppsettet er bekreftet"
    assert page.url.startswith(draft.share_url)
    assert await page.get_by_role("link", name="Gå tilbake").count() == 0
    assert program.came == []


async def test_a_yes_that_altinn_cannot_vouch_for_is_parked_until_it_can(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await control(sandbox, "PUT", "/faults", [{"target": "altinn", "status": 503}])
    try:
        await open_draft(page, draft)
        await expect(page.get_by_role("alert")).to_contain_text("Altinn svarer ikke akkurat nå")
        await looked_at(page, "altinn-away")
        await page.get_by_role("button", name="Bekreft", exact=True).click()
        await page.wait_for_url(f"{program.address}**")
        assert program.came == ["/done?status=Pending"]
        await page.goto(draft.confirm_url)
        assert await heading(page) == "Svaret er tatt imot"
        await looked_at(page, "parked")
    finally:
        await control(sandbox, "DELETE", "/faults")

    for _ in range(40):
        await page.reload()
        if await heading(page) == "Oppsettet er bekreftet":
            break
        await page.wait_for_timeout(1_000)
    assert await heading(page) == "Oppsettet er bekreftet"
    back = page.get_by_role("link", name="Gå tilbake til programmet")
    assert await back.get_attribute("href") == f"{program.address}?status=Success"
