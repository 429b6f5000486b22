"""The page of a draft whose system asks for the typed code and for activation."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.apis.catalogue import Activation
from app.apis.models import CatalogueVersion
from app.client_drafts.activation import activation_code
from app.client_drafts.limits import MOST_TYPED_CODES, MOST_TYPED_CODES_OF_ONE_ADDRESS
from app.client_drafts.pairing import pairing_code
from app.client_drafts.rules import DraftStatus
from tests.client_drafts.visiting import (
    RETURN,
    SAME_ORIGIN,
    Visitor,
    a_draft,
    drafted,
    serving_pages,
    status_of,
    stored_draft,
    visiting,
)
from tests.examples import NOW
from tests.publications.examples import SYSTEM, WITH_SYSTEM
from tests.serving import Service

SKY = replace(SYSTEM, pairing=True, activation=Activation.REDIRECT)


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving_pages(database_url) as service:
        catalogue = replace(WITH_SYSTEM, client_systems=[SKY])
        await service.add(CatalogueVersion(content=catalogue, applied_at=NOW))
        yield service


async def right_code(service: Service, client_id: UUID) -> str:
    draft = await stored_draft(service, client_id)
    secret = service.settings.secret_key
    return pairing_code(client_id, draft.public_key.thumbprint, secret_key=secret)


async def way_back(service: Service, client_id: UUID) -> str:
    code = activation_code(
        await stored_draft(service, client_id), secret_key=service.settings.secret_key
    )
    return f"{RETURN}?status=Success&code={code}"


async def confirm(service: Service, visitor: Visitor) -> str:
    code = await right_code(service, visitor.client_id)
    answer = await visitor.decide(pairingCode=code, contactEmail="post@legekontoret.example")
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_confirming_brings_the_code_with_the_browser(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        location = await confirm(service, visitor)
        assert location == await way_back(service, client_id)
        draft = await stored_draft(service, client_id)
        assert draft.status is DraftStatus.AWAITING_ACTIVATION
        assert draft.contact_email == "post@legekontoret.example"
        assert service.told == []
        assert location.partition("code=")[2] not in repr(vars(draft))

        pressed_again = await visitor.send({"action": "confirm", "lang": "nb"})
        assert pressed_again.headers["location"] == location
        later = (await visitor.open()).text
    assert "Oppsettet er bekreftet, men ikke ferdig" in later
    assert location.replace("&", "&amp;") in later


async def test_nobody_but_who_confirmed_gets_the_code(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        code = (await confirm(service, visitor)).partition("code=")[2]
    async with visiting(service, client_id, subject="somebody else") as other:
        answer = await other.send({"action": "confirm", "lang": "nb"})
        assert answer.headers["location"] == f"/confirm-client/{client_id}?lang=nb"
        text = (await other.open()).text
    assert "men ikke ferdig" in text
    assert code not in text
    assert RETURN not in text


async def test_what_nobody_activated_is_confirmed_again_on_the_same_page(
    service: Service,
) -> None:
    draft = a_draft(
        status=DraftStatus.AWAITING_ACTIVATION,
        activation_until=NOW,
        decided_at=NOW - timedelta(minutes=10),
        decided_by="kari",
    )
    await service.add(draft)
    async with visiting(service, draft.client_id) as visitor:
        assert "gjorde det ikke ferdig i tide" in (await visitor.open()).text
        assert await confirm(service, visitor) == await way_back(service, draft.client_id)


async def test_by_a_link_that_was_passed_on_it_can_only_be_declined(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        page = await visitor.open("?shared=1")
        assert "Svar på maskinen der programmet kjører" in page.text
        assert 'value="confirm"' not in page.text
        # The token of the page on which one declines fits whatever the form then says.
        decline = await visitor.open("/decline?shared=1")
        token = decline.text.partition('name="formToken" value="')[2].partition('"')[0]
        fields = {"shared": "1", "lang": "nb", "formToken": token}
        code = await right_code(service, client_id)
        answer = await visitor.send(fields | {"action": "confirm", "pairingCode": code})
        assert (answer.status_code, await status_of(service, client_id)) == (
            200,
            DraftStatus.PENDING,
        )
        declined = await visitor.send(fields | {"action": "decline", "reason": "unsure"})
    assert declined.status_code == 303
    assert await status_of(service, client_id) is DraftStatus.DECLINED


async def test_the_code_cannot_be_found_by_trying(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        token = await visitor.token()
        for _ in range(MOST_TYPED_CODES_OF_ONE_ADDRESS):
            answer = await visitor.decide(pairingCode="BBBB-BBBB", formToken=token)
            assert "Koden er ikke den samme" in answer.text
        # Not even the right one: else trying would go on.
        right = await right_code(service, client_id)
        answer = await visitor.decide(pairingCode=right, formToken=token)
        assert answer.status_code == 422
        assert "skrevet inn for mange ganger" in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING
    assert MOST_TYPED_CODES_OF_ONE_ADDRESS < MOST_TYPED_CODES


async def test_an_empty_code_is_no_attempt(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        for _ in range(MOST_TYPED_CODES_OF_ONE_ADDRESS + 1):
            assert (await visitor.decide(headers=SAME_ORIGIN)).status_code == 422
        assert await confirm(service, visitor) == await way_back(service, client_id)
