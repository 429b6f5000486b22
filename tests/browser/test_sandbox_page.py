"""The page that a supplier's developer has open all day: everything is seen and pressed there."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.steps import looked_at
from tests.installers.keys import ec_key
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RIGHT = "nhn-helseid-databehandler"
NOTHING_GIVEN = "310000183"
SUPPLIER = "310700029"


@pytest_asyncio.fixture(loop_scope="session")
async def board(page: Page, sandbox: Ready) -> AsyncIterator[Page]:
    await page.goto(f"{sandbox.control_url}/")
    yield page
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        await http.delete(f"{sandbox.control_url}/faults")
        withdrawn = {"from": NOTHING_GIVEN, "to": SUPPLIER, "right": RIGHT, "action": "revoke"}
        await http.post(f"{sandbox.control_url}/delegations", json=withdrawn)


async def make_draft(sandbox: Ready, number: str, api_key: str, **more: object) -> str:
    body = {"organizationNumber": number, "publicJwk": ec_key().members, **more}
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.base_url}/v1/client-drafts", json=body, headers={"api-key": api_key}
        )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["clientId"])


def card(page: Page, client_id: str) -> Locator:
    return page.get_by_role("article").filter(has_text=client_id)


async def press(where: Locator | Page, name: str) -> None:
    """By the beginning of its name: what it is about stands behind it."""
    await where.get_by_role("button", name=name).click()


async def unfold(where: Locator, name: str) -> None:
    await where.locator("summary").filter(has_text=name).first.click()


async def test_a_draft_that_is_made_appears_and_is_pressed_on_to_the_end(
    board: Page, sandbox: Ready
) -> None:
    client_id = await make_draft(sandbox, "310000051", "sandbox", externalRef="EPJ 7")
    one = card(board, client_id)
    await expect(one).to_contain_text("EPJ 7")
    steps = one.get_by_role("listitem")
    await expect(steps.first).to_contain_text("Confirm Fjord EPJ for KRÅKØY TANNKLINIKK AS")
    await expect(steps.first).to_contain_text("notOpened")
    link = one.get_by_role("link", name="Open its page")
    assert client_id in str(await link.get_attribute("href"))
    await one.get_by_label("As").select_option("Ola Uten Rett")
    await press(one, "Confirm")
    await expect(one).to_contain_text("Confirm: Rejected.")
    await expect(steps.first).to_contain_text("lacksRight")
    await one.get_by_label("As").select_option("Kari Nordmann")
    await press(one, "Confirm")
    await expect(one.get_by_role("heading")).to_contain_text("waitingForApproval")
    approval = steps.filter(has_text="Read patient information")
    await expect(approval).to_contain_text("apiAccessPending")
    await press(approval, "Approve")
    await expect(approval).to_contain_text("done")
    await unfold(one, "Access")
    await one.get_by_label("The owner's words").fill("Welcome")
    await press(one, "Approve all that waits")
    await expect(one.get_by_role("heading")).to_contain_text("ready")
    await expect(board.get_by_role("status")).to_contain_text("Done.")
    await looked_at(board, "sandbox-page")


async def test_a_right_that_is_given_in_altinn_is_seen_by_the_service(
    board: Page, sandbox: Ready
) -> None:
    herid = [{"key": "herid", "value": "0"}]
    client_id = await make_draft(
        sandbox, NOTHING_GIVEN, "sandbox-edi", audienceSpecificClientClaims=herid
    )
    one = card(board, client_id)
    await press(one, "Confirm")
    right = one.get_by_role("listitem").filter(has_text="Data processor may act")
    await expect(right).to_contain_text("delegationMissing")
    await press(right, "Give")
    # Who looks at it is taken to wait: Altinn is asked again within seconds.
    await expect(right).to_contain_text("done", timeout=30_000)
    altinn = board.get_by_role("region", name="Altinn")
    await expect(
        altinn.get_by_role("listitem").filter(has_text=f"{RIGHT}: {NOTHING_GIVEN}").first
    ).to_contain_text("given")


async def test_faults_are_set_seen_and_taken_away(board: Page) -> None:
    faults = board.get_by_role("region", name="Faults")
    await unfold(faults, "Let somebody fail")
    await faults.get_by_label("Who").select_option("brreg")
    await faults.get_by_label("Status").fill("503")
    await faults.get_by_label("Do it, and lose the answer").check()
    await press(faults, "Set")
    await expect(faults.get_by_role("listitem")).to_contain_text(re.compile("brreg.*answers 503"))
    await faults.get_by_label("Who").select_option("altinn")
    await press(faults, "Set")
    await expect(faults.get_by_role("listitem")).to_have_count(2)
    await expect(board.get_by_role("link", name="2 faults on")).to_be_visible()
    await press(faults, "Let all work again")
    await expect(faults).to_contain_text("Everybody works.")


async def test_a_control_that_refuses_says_why(board: Page) -> None:
    altinn = board.get_by_role("region", name="Altinn")
    await unfold(altinn, "Give or withdraw any right")
    await altinn.get_by_role("textbox", name="From").fill("310000124")
    await altinn.get_by_role("textbox", name="To").fill(SUPPLIER)
    await altinn.get_by_role("button", name="Give", exact=True).click()
    await expect(board.get_by_role("status")).to_have_class("problem")
    await expect(board.get_by_role("status")).to_contain_text("310000124")
    await expect(altinn.locator(".outcome.problem")).to_contain_text("310000124")


async def test_what_somebody_types_is_not_taken_away(board: Page, sandbox: Ready) -> None:
    altinn = board.get_by_role("region", name="Altinn")
    await unfold(altinn, "Give or withdraw any right")
    await altinn.get_by_role("textbox", name="From").fill("3100")
    client_id = await make_draft(sandbox, "310000019", "sandbox")
    await expect(card(board, client_id)).to_be_visible()
    assert await altinn.get_by_role("textbox", name="From").input_value() == "3100"


async def test_a_refused_call_is_explained_and_found(board: Page, sandbox: Ready) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        await http.get(f"{sandbox.base_url}/v1/client", headers={"Authorization": "DPoP a.b.c"})
    calls = board.get_by_role("region", name="Calls")
    refused = calls.get_by_role("group").filter(has_text="access token, proof").first
    await expect(refused).to_contain_text("401")
    await refused.locator("summary").first.click()
    await expect(refused).to_contain_text("Send one header DPoP")
    await expect(refused).to_contain_text("one header DPoP")
    copied = await refused.get_by_role("button", name="Copy as curl").get_attribute("data-copy")
    assert f"{sandbox.base_url}/v1/client" in str(copied)
    await looked_at(board, "sandbox-page-calls")

    await calls.get_by_label("Refused only").check()
    await calls.get_by_role("searchbox", name="Path").fill("/v1/client")
    await expect(calls.get_by_text("200", exact=True)).to_have_count(0)
    await expect(refused).to_be_visible()
    await expect(board).to_have_url(re.compile("path=%2Fv1%2Fclient"))
    await calls.get_by_role("searchbox", name="Path").fill("/v1/nowhere")
    await expect(calls).to_contain_text("None like that.")


async def test_a_client_is_found_and_its_steps_are_read_in_another_language(
    board: Page, sandbox: Ready
) -> None:
    mine = await make_draft(sandbox, "310000019", "sandbox", externalRef="Storgata 7")
    other = await make_draft(sandbox, "310000019", "sandbox")
    await expect(card(board, other)).to_be_visible()
    await board.get_by_role("searchbox", name="Find").fill("storgata")
    await expect(card(board, other)).to_have_count(0)
    await expect(card(board, mine)).to_be_visible()
    await board.get_by_label("Language of the steps").select_option("Nynorsk")
    await expect(card(board, mine)).to_contain_text("Når klienten er stadfesta")
    await card(board, mine).get_by_role("link", name="Its calls").click()
    calls = board.get_by_role("region", name="Calls").get_by_role("group")
    await expect(calls.filter(has_text="POST /v1/client-drafts")).to_have_count(1)
    assert await board.get_by_role("searchbox", name="Find").input_value() == "storgata"


async def test_time_is_moved_on_and_told(board: Page) -> None:
    time = board.get_by_role("region", name="Time")
    await press(time, "1 minute")
    # All that fell due is done first.
    await expect(time).to_contain_text("0:01:00 ahead of the real time", timeout=30_000)
    await expect(time).to_contain_text("What fell due:")
    await time.get_by_text("What a program sends").click()
    await expect(time).to_contain_text("-d '{\"seconds\":60}'")
