"""What becomes of a draft wakes whoever waits for it."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access.person_rights import Held
from app.client_drafts.activation import activation_code
from app.client_drafts.models import ClientDraft
from app.client_drafts.noting import note_visit
from app.client_drafts.parking import park_client_draft, pass_on_client_draft
from app.client_drafts.rules import VERIFIED_WITHIN, DeclineReason, LastVisit
from app.client_drafts.sweeping import expire_drafts, lapse_confirmations
from app.client_drafts.use_cases import decline_client_draft, open_client_draft
from app.client_drafts.verifying import verify_one
from tests.client_drafts.rights import PERSON, ToldRights
from tests.client_drafts.test_parking import verifier
from tests.examples import NOW
from tests.installers.keys import key_proof
from tests.onboardings.changes import Change, catalogue_applied, confirmed, is_woken
from tests.onboardings.wizards import Wizard, a_wizard
from tests.serving import EDI, FJORD, KARI, Service

SKY = "sandbox-sky"


async def opened(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await open_client_draft(
            db, KARI, UUID(wizard.client_id), redirect_port=None, redirect_path=None, now=NOW
        )


def visited(visit: LastVisit) -> Change:
    async def come(wizard: Wizard) -> None:
        async with wizard.service.database.sessions() as db:
            await note_visit(db, UUID(wizard.client_id), visit, now=NOW)

    return come


async def declined(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await decline_client_draft(
            db, KARI, UUID(wizard.client_id), reason=DeclineReason.UNSURE, now=NOW
        )


async def passed_on(wizard: Wizard) -> None:
    service = wizard.service
    async with service.database.sessions() as db:
        await pass_on_client_draft(
            db,
            KARI,
            UUID(wizard.client_id),
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=NOW,
        )


async def parked(wizard: Wizard) -> None:
    service = wizard.service
    async with service.database.sessions() as db:
        await park_client_draft(
            db,
            KARI,
            UUID(wizard.client_id),
            person=PERSON,
            contact_email=None,
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=NOW,
        )


def answered(held: Held | None) -> Change:
    """Altinn's answer to a parked decision, or that none came for a day."""

    async def settle(wizard: Wizard) -> None:
        service = wizard.service
        service.now = NOW + VERIFIED_WITHIN
        assert await verify_one(verifier(service, ToldRights(held)), now=service.now)

    return settle


async def expired(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(days=2)
    assert await expire_drafts(wizard.service.database.sessions, now=wizard.service.now)


async def lengthened(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(hours=1)
    answer = await wizard.lengthen()
    assert answer.status_code == 200, answer.text


async def activated(wizard: Wizard) -> None:
    service, client_id = wizard.service, wizard.client_id
    [draft] = await service.ask(select(ClientDraft).where(ClientDraft.client_id == UUID(client_id)))
    code = activation_code(draft, secret_key=service.settings.secret_key)
    url = wizard.created["activationUrl"]
    proof = key_proof(wizard.key, client_id, url, code=code)
    answer = await service.http.post(url, json={"activation": proof})
    assert answer.status_code == 200, answer.text


async def lapsed(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(minutes=11)
    assert await lapse_confirmations(wizard.service.database.sessions, now=wizard.service.now)


OF_DRAFTS: dict[str, tuple[str, list[Change], Change]] = {
    "opened": (FJORD, [], opened),
    "the login failed": (FJORD, [], visited(LastVisit.LOGIN_FAILED)),
    "who came lacks the right": (FJORD, [opened], visited(LastVisit.LACKS_RIGHT)),
    "passed on": (FJORD, [opened], passed_on),
    "confirmed": (FJORD, [opened], confirmed),
    "declined": (FJORD, [], declined),
    "parked": (FJORD, [], parked),
    "parked, and then a yes": (FJORD, [parked], answered(Held.YES)),
    "parked, and then a no": (FJORD, [parked], answered(Held.NO)),
    "parked, and never an answer": (FJORD, [parked], answered(None)),
    "expired": (FJORD, [], expired),
    "lengthened": (FJORD, [], lengthened),
    "lengthened once it has expired": (FJORD, [expired], lengthened),
    "confirmed, and waits for its activation": (SKY, [], confirmed),
    "activated": (SKY, [confirmed], activated),
    "not activated in time": (SKY, [confirmed], lapsed),
    "the catalogue is another": (EDI, [], catalogue_applied),
}


@pytest.mark.parametrize("what", OF_DRAFTS)
async def test_a_change_of_the_draft_wakes_at_once(service: Service, what: str) -> None:
    api_key, before, change = OF_DRAFTS[what]
    back = {"postClientConfirmationRedirectUri": "http://localhost:8765/done"}
    wizard = await a_wizard(service, api_key, **back)
    for earlier in before:
        await earlier(wizard)
    await is_woken(wizard, change)
