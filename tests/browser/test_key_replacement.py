"""A new key for an installation that has lost its own, from the page to the token."""

from typing import Any

import httpx2
import pytest
from playwright.async_api import Page

from tests.browser.steps import heading, log_in, looked_at
from tests.installers.keys import ec_key
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def reinstalled(sandbox: Ready, http: httpx2.Client, old: PlainInstaller) -> dict[str, Any]:
    """The same installation with an empty disk: it knows its client id and has a new key."""
    old.key = ec_key()
    body = {"replacesKeysOf": old.client_id, "postClientConfirmationRedirectUri": None}
    answer = old.draft(**body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def confirm(page: Page, told: dict[str, Any], name: str) -> None:
    await page.goto(told["confirmUrl"])
    await log_in(page)
    await looked_at(page, name)
    shown = await page.get_by_role("main").inner_text()
    for part in ("Ny nøkkel for en klient som finnes fra før", told["clientId"]):
        assert part in shown
    await page.get_by_label("Koden som programmet viser").fill(told["pairingCode"])
    await page.get_by_role("button", name="Bekreft", exact=True).click()


async def test_a_lost_key_is_replaced_at_once(page: Page, sandbox: Ready) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        client = PlainInstaller(sandbox, http).set_up()
        lost, client_id = client.key, client.client_id
        told = reinstalled(sandbox, http, client)
        assert told["clientId"] == client_id
        assert client.ask_for_token().status_code == 400
        await confirm(page, told, "replacement")
        assert await heading(page) == "Oppsettet er bekreftet"
        client.log_in()
        assert [key["jwkThumbprint"] for key in client.live_keys()] == [client.key.thumbprint]
        client.key = lost
        assert client.ask_for_token().status_code == 400


async def test_a_key_in_use_is_saved_by_who_is_told(page: Page, sandbox: Ready) -> None:
    with httpx2.Client(trust_env=False, timeout=30) as http:
        client = PlainInstaller(sandbox, http).set_up()
        assert client.client()
        in_use = client.key
        told = reinstalled(sandbox, http, client)
        await confirm(page, told, "replacement-seen")
        assert await heading(page) == "Nøkkelen byttes om 24 timer"
        await looked_at(page, "replacement-waits")
        mailbox = http.get(f"{sandbox.control_url}/mailbox").json()
        [mail] = [
            mail
            for mail in mailbox
            if mail["clientId"] == client.client_id
            and (mail["kind"], mail["recipient"]) == ("keysToBeReplaced", "supplier")
        ]
        await page.goto(mail["link"])
        await looked_at(page, "replacement-stop")
        await page.get_by_role("button", name="Stopp byttet").click()
        assert await heading(page) == "Byttet er stoppet"
        client.key = in_use
        assert client.client()
