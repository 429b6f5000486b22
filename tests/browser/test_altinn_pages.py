"""Altinn's pages, looked at in a browser as they are sent."""

import pytest
from playwright.async_api import Page

from app.sandbox.people import OLA, SYNNE
from tests.browser.steps import looked_at
from tests.sandbox.conftest import connected
from tests.sandbox.service_owner import (
    CUSTOMER,
    GENERIC,
    ORGANIZATION,
    SUPPLIER,
    WORLD,
    WRITE,
    AltinnWorld,
    ServiceOwner,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAGES = WORLD.altinn_pages_url
REQUESTS = f"{WORLD.altinn_url}/accessmanagement/api/v1/serviceowner/delegationrequests"


async def test_the_pages_are_accessible_and_fit_a_narrow_window(page: Page) -> None:
    world = AltinnWorld()
    async with connected(world.app) as http:
        owner = world.service_owner(http)
        await look(page, owner, f"{PAGES}/login", "altinn-login")
        for who in (SYNNE, OLA):
            await http.post(f"{PAGES}/login", data={"person": who.slug})
            await look(page, owner, f"{PAGES}/?party={CUSTOMER}", f"altinn-rights-{who.slug}")
        link = await asked(owner)
        await look(page, owner, link, "altinn-request-of-another")
        await http.post(f"{PAGES}/login", data={"person": SYNNE.slug})
        await look(page, owner, link, "altinn-request")
        form = {"party": CUSTOMER, "to": "Per Ukjent", "right": GENERIC}
        answer = await http.post(f"{PAGES}/delegations", data=form)
        await page.set_content(answer.text)
        await looked_at(page, "altinn-rights-refused")


async def look(page: Page, owner: ServiceOwner, address: str, name: str) -> None:
    answer = await owner.http.get(address)
    assert answer.status_code == 200
    await page.set_content(answer.text)
    await looked_at(page, name)


async def asked(owner: ServiceOwner) -> str:
    body = {
        "from": f"{ORGANIZATION}:{SUPPLIER}",
        "to": f"{ORGANIZATION}:{CUSTOMER}",
        "resource": GENERIC,
    }
    headers = await owner.headers(WRITE)
    answer = await owner.http.post(f"{REQUESTS}/resource", json=body, headers=headers)
    return str(answer.json()["links"]["detailsLink"])
