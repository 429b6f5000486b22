"""The page on which a client is confirmed, in a real Chromium against the whole sandbox."""

import httpx2
import pytest
from joserfc.jwk import ECKey
from playwright.async_api import Browser, Page, expect

from tests.browser.program import WaitingProgram, ask_for_client
from tests.browser.steps import heading, log_in, looked_at, open_draft
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EXPIRED = "310000043"
WAITS_FOR_OWNER = "310000051"


async def test_a_person_logs_in_and_confirms_and_the_program_is_told(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(
        sandbox, f"{program.address}?installation=7", childOrganizationNumbers=["310000175"]
    )
    await page.goto(draft.confirm_url)
    await looked_at(page, "login")
    assert "Fjord" not in await page.content()
    await log_in(page)
    await looked_at(page, "draft")
    shown = await page.get_by_role("main").inner_text()
    for part in (
        "Fjord Systemer AS (org.nr.\N{NO-BREAK SPACE}310\N{NO-BREAK SPACE}700",
        "Fjord EPJ",
        "310\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}019",
        "310\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}175",
        "Kari Nordmann",
        "Lese og endre sin egen klient",
        "nhn:selvbetjening/client",
        "http://localhost:8765/callback",
        program.address,
        draft.client_id,
        draft.pairing_code,
        "Bekreft bare hvis du nettopp har bedt om dette selv",
    ):
        assert part in shown
    await page.get_by_label("E-post").fill("post@legekontoret.example")
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?installation=7&status=Success"]


async def test_declining_asks_why_and_tells_the_program(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    await open_draft(page, ask_for_client(sandbox, program.address))
    await page.get_by_role("button", name="Avbryt", exact=True).click()
    await looked_at(page, "decline")
    await page.get_by_label("Vi har ikke bestilt dette").check()
    await page.get_by_role("button", name="Avvis oppsettet").click()
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Cancelled"]


async def test_a_declined_draft_says_so_when_the_link_is_opened_again(
    page: Page, sandbox: Ready
) -> None:
    draft = ask_for_client(sandbox)
    await open_draft(page, draft)
    await page.get_by_role("button", name="Avbryt", exact=True).click()
    await page.get_by_label("Jeg er usikker").check()
    await page.get_by_role("button", name="Avvis oppsettet").click()
    assert await heading(page) == "Oppsettet er avvist"
    await looked_at(page, "declined")


async def test_one_can_turn_back_from_declining(page: Page, sandbox: Ready) -> None:
    await open_draft(page, ask_for_client(sandbox))
    await page.get_by_role("button", name="Avbryt", exact=True).click()
    await page.get_by_role("link", name="Gå tilbake uten å avvise").click()
    assert await heading(page) == "Bekreft oppsett av HelseID"


async def test_an_expired_draft_ends_on_a_page_with_the_way_back(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    await open_draft(page, ask_for_client(sandbox, program.address, organizationNumber=EXPIRED))
    assert await heading(page) == "Forespørselen har løpt ut"
    await looked_at(page, "expired")
    await page.get_by_role("link", name="Gå tilbake til programmet").click()
    assert program.came == ["/done?status=Expired"]


async def test_a_second_tab_that_confirms_later_gets_the_same_answer(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await open_draft(page, draft)
    second = await page.context.new_page()
    await second.goto(draft.confirm_url)
    for tab in (page, second):
        await tab.get_by_role("button", name="Bekreft", exact=True).click()
        await tab.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Success", "/done?status=Success"]


async def test_a_second_tab_that_declines_later_is_told_that_it_is_confirmed(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await open_draft(page, draft)
    second = await page.context.new_page()
    await second.goto(f"{draft.confirm_url}/decline")
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url(f"{program.address}**")
    await second.get_by_label("Jeg er usikker").check()
    await second.get_by_role("button", name="Avvis oppsettet").click()
    assert await heading(second) == "Oppsettet er bekreftet"
    await looked_at(second, "confirmed")
    assert program.came == ["/done?status=Success"]


async def test_a_program_that_has_stopped_waiting_undoes_nothing(
    page: Page, sandbox: Ready
) -> None:
    nobody = "http://localhost:9/done"
    draft = ask_for_client(sandbox, nobody)
    await open_draft(page, draft)
    button = page.get_by_role("button", name="Bekreft", exact=True)
    async with page.expect_request(f"{nobody}?status=Success"):
        await button.click(no_wait_after=True)
    again = await page.context.new_page()
    await again.goto(draft.confirm_url)
    assert await heading(again) == "Oppsettet er bekreftet"
    back = again.get_by_role("link", name="Gå tilbake til programmet")
    assert await back.get_attribute("href") == f"{nobody}?status=Success"


@pytest.mark.parametrize("slash", ["/", ""])
async def test_the_old_link_leads_back_to_its_port_and_path(
    page: Page, sandbox: Ready, program: WaitingProgram, slash: str
) -> None:
    draft = ask_for_client(sandbox)
    query = f"redirectPort={program.port}&redirectPath={slash}callback"
    await page.goto(f"{draft.confirm_url}?{query}")
    await log_in(page)
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url("**/callback?**")
    assert program.came == ["/callback?status=Success"]


async def test_the_placeholders_of_todays_sample_count_for_nothing(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await page.goto(f"{draft.confirm_url}?redirectPort=<port>&redirectPath=<path>")
    await log_in(page)
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Success"]


async def test_without_an_address_the_answer_is_a_page_of_ours(page: Page, sandbox: Ready) -> None:
    await open_draft(page, ask_for_client(sandbox))
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    assert await heading(page) == "Oppsettet er bekreftet"
    assert await page.get_by_role("link", name="Gå tilbake").count() == 0


async def test_a_key_that_another_client_took_meanwhile_is_told_of_with_a_way_back(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    key = ECKey.generate_key("P-256")
    first = ask_for_client(sandbox, key=key)
    second = ask_for_client(sandbox, program.address, key=key)
    await open_draft(page, first)
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await open_draft(page, second)
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    assert await heading(page) == "Oppsettet kan ikke bekreftes"
    await looked_at(page, "key-taken")
    await page.get_by_role("link", name="Gå tilbake til programmet").click()
    assert program.came == ["/done?status=Error"]


async def test_what_waits_for_an_owner_is_said_before_one_confirms(
    page: Page, sandbox: Ready
) -> None:
    await open_draft(page, ask_for_client(sandbox, organizationNumber=WAITS_FOR_OWNER))
    await expect(page.get_by_text("Må godkjennes av").first).to_be_visible()
    await looked_at(page, "waits")


async def test_the_typed_code_must_be_the_programs(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address, pairing=True)
    await open_draft(page, draft)
    assert draft.pairing_code not in await page.content()
    code = page.get_by_label("Koden som programmet viser")
    await code.fill("BBBB-BBBB")
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Koden er ikke den samme")
    await looked_at(page, "wrong-code")
    await code.fill(draft.pairing_code.lower().replace("-", " "))
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Success"]


@pytest.mark.parametrize(
    ("language", "enter", "title", "confirm", "cancel"),
    [
        ("nb", "Logg inn", "Bekreft oppsett av HelseID", "Bekreft", "Avbryt"),
        ("nn", "Logg inn", "Stadfest oppsett av HelseID", "Stadfest", "Avbryt"),
        ("en", "Log in", "Confirm the HelseID setup", "Confirm", "Cancel"),
    ],
)
async def test_the_chosen_language_stays_through_the_whole_journey(
    page: Page,
    sandbox: Ready,
    language: str,
    enter: str,
    title: str,
    confirm: str,
    cancel: str,
) -> None:
    draft = ask_for_client(sandbox)
    await page.goto(f"{draft.confirm_url}?lang={language}")
    await log_in(page, enter)
    assert await heading(page) == title
    assert await page.locator("html").get_attribute("lang") == language
    await expect(page.get_by_role("button", name=cancel, exact=True)).to_be_visible()
    await looked_at(page, f"draft-{language}")
    await page.get_by_role("button", name=confirm, exact=True).click()
    assert await page.locator("html").get_attribute("lang") == language
    await looked_at(page, f"confirmed-{language}")


async def test_another_language_is_one_link_away(page: Page, sandbox: Ready) -> None:
    await open_draft(page, ask_for_client(sandbox))
    await page.get_by_role("link", name="Nynorsk").click()
    assert await heading(page) == "Stadfest oppsett av HelseID"


async def test_the_keyboard_alone_is_enough(
    page: Page, sandbox: Ready, program: WaitingProgram
) -> None:
    draft = ask_for_client(sandbox, program.address)
    await page.goto(draft.confirm_url)
    await page.keyboard.press("Tab")
    assert await focused(page) == "Gå til innholdet"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Logg inn"
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Kari Nordmann").press("Enter")
    assert await heading(page) == "Bekreft oppsett av HelseID"
    order = [await tabbed(page) for _ in range(7)]
    assert order == [
        "Gå til innholdet",
        "Bokmål",
        "Nynorsk",
        "English",
        "contactEmail",
        "Bekreft",
        "Avbryt",
    ]
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Success"]


async def tabbed(page: Page) -> str:
    await page.keyboard.press("Tab")
    return await focused(page)


async def focused(page: Page) -> str:
    return str(
        await page.evaluate(
            "document.activeElement.name === 'contactEmail' ? 'contactEmail' :"
            " document.activeElement.textContent.trim()"
        )
    )


async def test_no_button_or_link_holds_the_persons_name(page: Page, sandbox: Ready) -> None:
    """Tools that press buttons by their words would else press the wrong one."""
    await open_draft(page, ask_for_client(sandbox))
    assert await page.get_by_role("button", name="Kari").count() == 0
    assert await page.get_by_role("link", name="Kari").count() == 0


async def test_everything_works_without_scripts(
    browser: Browser, sandbox: Ready, program: WaitingProgram
) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="nb-NO")
    page = await context.new_page()
    await open_draft(page, ask_for_client(sandbox, program.address))
    await page.get_by_label("E-post").fill("post@legekontoret.example")
    await page.get_by_role("button", name="Bekreft", exact=True).click()
    await page.wait_for_url(f"{program.address}**")
    assert program.came == ["/done?status=Success"]
    await context.close()


async def test_nothing_is_fetched_from_anybody_else(page: Page, sandbox: Ready) -> None:
    draft = ask_for_client(sandbox)
    fetched: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    await open_draft(page, draft)
    await page.wait_for_load_state("networkidle")
    ours = (sandbox.base_url, sandbox.issuer, "data:")
    assert [url for url in fetched if not url.startswith(ours)] == []
    assert complaints == []


async def test_turning_back_at_the_issuer_leads_to_the_login_page(
    page: Page, sandbox: Ready
) -> None:
    await page.goto(ask_for_client(sandbox).confirm_url)
    await page.get_by_role("button", name="Logg inn", exact=True).click()
    await page.locator("button[value=cancel]").click()
    await expect(page.get_by_role("alert")).to_contain_text("Innloggingen ble avbrutt")
    await looked_at(page, "login-cancelled")
    await log_in(page)
    assert await heading(page) == "Bekreft oppsett av HelseID"


async def test_an_issuer_that_is_down_is_told_of_by_a_page(page: Page, sandbox: Ready) -> None:
    await page.goto(f"{ask_for_client(sandbox).confirm_url}?lang=nn")
    faults = f"{sandbox.control_url}/faults"
    fault = [{"target": "issuer", "path": "/connect/par", "status": 503, "times": 10}]
    httpx2.put(faults, json=fault, trust_env=False).raise_for_status()
    try:
        async with page.expect_response("**/login") as answered:
            await page.get_by_role("button", name="Logg inn", exact=True).click()
        answer = await answered.value
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert await heading(page) == "Innlogginga er ikkje tilgjengeleg"
        await looked_at(page, "issuer-down")
    finally:
        httpx2.delete(faults, trust_env=False).raise_for_status()
    await page.get_by_role("link", name="Prøv igjen").click()
    await log_in(page)
    assert await heading(page) == "Stadfest oppsett av HelseID"
