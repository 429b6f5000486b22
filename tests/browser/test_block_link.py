"""The link in a notice, from the sandbox's mailbox to a client that is blocked."""

import httpx2
import pytest
from playwright.async_api import Page

from tests.browser.steps import heading, looked_at
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_who_did_not_know_of_a_client_blocks_it(page: Page, sandbox: Ready) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        client = PlainInstaller(sandbox, http).set_up()
        mailbox = http.get(f"{sandbox.control_url}/mailbox").json()
        [mail] = [
            mail
            for mail in mailbox
            if (mail["clientId"], mail["recipient"]) == (client.client_id, "supplier")
        ]
        assert mail["to"] == "drift@fjord.example"
        await page.goto(mail["link"])
        await looked_at(page, "block")
        assert "Fjord EPJ" in await page.get_by_role("main").inner_text()
        await page.get_by_role("button", name="Sperr klienten").click()
        assert await heading(page) == "Klienten er sperret"
        await looked_at(page, "blocked")
        refused = client.call("GET", "client")
        assert refused.json()["type"].endswith("/problems/client-blocked")
