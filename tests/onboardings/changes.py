"""Changes of a draft, of what surrounds it, and of its client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from app.client_configurations.applying import apply_catalogue
from tests.examples import NOW
from tests.onboardings.wizards import Wizard, waiting
from tests.serving import CLIENT_SCOPE

SOON = 3.0
Change: TypeAlias = Callable[[Wizard], Awaitable[object]]


async def is_woken(wizard: Wizard, change: Change) -> None:
    """At once, and by something that can be seen."""
    async with waiting(wizard) as held:
        await change(wizard)
        answer = await asyncio.wait_for(held, SOON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.json() == await wizard.onboarding()


async def confirmed(wizard: Wizard) -> None:
    await wizard.confirm()


async def catalogue_applied(wizard: Wizard) -> None:
    """The name alone of one of its APIs is another: no client and no client system is changed."""
    service = wizard.service
    catalogue = await service.app.state.catalogues.in_force()
    apis = [
        msgspec.structs.replace(api, name=f"{api.name} 2", owner_contact="ny@eier.example")
        for api in catalogue.apis
    ]
    async with service.database.sessions() as db:
        assert await apply_catalogue(
            db,
            msgspec.structs.replace(catalogue, apis=apis),
            environment=service.settings.environment,
            client_scope=CLIENT_SCOPE,
            now=NOW,
        )
