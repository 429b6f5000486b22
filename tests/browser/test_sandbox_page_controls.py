"""Each control of the sandbox is on its page, and says beside it what came of it."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.steps import looked_at
from tests.browser.test_sandbox_page import card, make_draft, press, unfold
from tests.installers.plain import EDI, PlainInstaller
from tests.sandboxes import Ready

pytestmark = pytest.mark.browser
in_browser = pytest.mark.asyncio(loop_scope="session")
HERID = [{"key": "herid", "value": "0"}]
CONTROL = re.compile(r'data-control="([^"]+)"(?: data-method="(\w+)")?')


@pytest_asyncio.fixture(loop_scope="session")
async def confirmed(page: Page, sandbox: Ready) -> AsyncIterator[Locator]:
    """The card of a client that somebody has confirmed."""
    await page.goto(f"{sandbox.control_url}/")
    one = card(page, await make_draft(sandbox, "310000019", "sandbox"))
    await press(one, "Confirm")
    await expect(one.get_by_role("heading")).to_contain_text("ready")
    yield one


def test_every_control_of_the_document_is_on_the_page(sandbox: Ready) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        edi = PlainInstaller(sandbox, http, organization="310000183", api_key=EDI)
        edi.set_up(audienceSpecificClientClaims=HERID)
        PlainInstaller(sandbox, http).draft()
        http.put(f"{sandbox.control_url}/faults", json=[{"target": "brreg", "path": "/nowhere"}])
        page = http.get(f"{sandbox.control_url}/").text
        http.delete(f"{sandbox.control_url}/faults")
        paths = http.get(f"{sandbox.control_url}/openapi.json").json()["paths"]
    # Altinn takes no requests for the rights that the sandbox's clients need. `ServiceOwner` makes
    # one and presses it, in tests.sandbox.
    del paths["/_sandbox/altinn/requests/{identifier}/{step}"]
    pressed = {(method or "POST", path) for path, method in CONTROL.findall(page)}
    lacking = [
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method in item.keys() & {"post", "put", "delete"}
        if not any(
            method.upper() == by and re.fullmatch(pattern_of(path), address)
            for by, address in pressed
        )
    ]
    assert lacking == []


def pattern_of(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/_sandbox"))


@in_browser
async def test_a_key_ends_leaks_and_is_revoked(page: Page, confirmed: Locator) -> None:
    await unfold(confirmed, "Keys and images")
    await press(confirmed, "Set its end")
    await expect(confirmed).to_contain_text("Set its end: It ends at")
    await press(confirmed, "Say it has leaked")
    await expect(confirmed.get_by_role("listitem").filter(has_text="Renew the key")).to_be_visible()
    await looked_at(page, "sandbox-page-keys")
    mail = page.get_by_role("region", name="Mail")
    letter = mail.get_by_role("group").first
    await letter.locator("summary").click()
    link = letter.get_by_role("link", name="Open the letter's link")
    assert "/block-client/" in str(await link.get_attribute("href"))
    await press(confirmed, "Revoke at once")
    await expect(confirmed).to_contain_text("The key is revoked, and the token issuer knows.")
    await expect(confirmed).to_contain_text("noUsableKey")


@in_browser
async def test_an_image_is_taken_and_restored(confirmed: Locator) -> None:
    await unfold(confirmed, "Keys and images")
    await press(confirmed, "Restore from the image")
    await expect(confirmed.locator(".outcome.problem")).to_contain_text("No snapshot")
    await press(confirmed, "Take an image")
    await expect(confirmed).to_contain_text("The image holds 1 key.")
    await press(confirmed, "Restore from the image")
    await expect(confirmed).to_contain_text("It has 1 key again and has lost 0 keys.")


@in_browser
async def test_a_client_is_blocked_and_freed_by_the_keyboard(
    page: Page, confirmed: Locator
) -> None:
    await unfold(confirmed, "Block or close")
    await confirmed.get_by_role("button", name="Block").focus()
    await page.keyboard.press("Enter")
    await expect(confirmed.get_by_role("heading")).to_contain_text("blocked")
    step = confirmed.get_by_role("listitem").filter(has_text="The client is blocked")
    await expect(step).to_contain_text("clientBlocked")
    assert await confirmed.evaluate("card => card.contains(document.activeElement)")
    await press(step, "Unblock")
    await expect(confirmed.get_by_role("heading")).to_contain_text("ready")


@in_browser
async def test_a_broken_token_is_made_sent_and_explained(
    page: Page, confirmed: Locator, sandbox: Ready
) -> None:
    await unfold(confirmed, "Tokens to try")
    await confirmed.get_by_label("What is wrong with it").select_option("proofWrongUrl")
    await press(confirmed, "Make a token")
    command = await confirmed.locator("pre").filter(has_text="curl -i").inner_text()
    sent = dict(re.findall(r"-H '(\w+): ([^']+)'", command))
    [address] = re.findall(r"-X GET '([^']+)'", command)
    await unfold(confirmed, "The request, for a .http file")
    request = confirmed.locator("pre").filter(has_text=re.compile("^GET "))
    first, *headers = (await request.inner_text()).split("\n")
    assert first == f"GET {address}"
    assert headers == [f"{name}: {value}" for name, value in sent.items()]
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(address, headers=sent)).status_code == 401
    refused = page.get_by_role("region", name="Calls").get_by_role("group").first
    await expect(refused).to_contain_text("proof htu")
    await refused.locator("summary").first.click()
    await expect(refused).to_contain_text("Its scheme and host and port is not that of this call.")


@in_browser
async def test_the_page_is_as_clear_in_the_dark(page: Page, confirmed: Locator) -> None:
    await page.emulate_media(color_scheme="dark")
    for name in ("Access", "Keys and images", "Tokens to try", "Block or close"):
        await unfold(confirmed, name)
    await looked_at(page, "sandbox-page-dark")


@in_browser
async def test_what_becomes_of_an_organization(page: Page, confirmed: Locator) -> None:
    await expect(confirmed).to_be_visible()
    others = page.get_by_role("region", name="Register and issuer")
    await others.get_by_label("Organization number").fill("310000019")
    await press(others, "Let it be so")
    await expect(others).to_contain_text("310000019 is live.")
