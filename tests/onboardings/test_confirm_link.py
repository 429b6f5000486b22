"""A draft that nobody has confirmed is given more time, a few times."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.audit.models import AuditEvent
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import MOST_LENGTHENINGS
from tests.examples import NOW
from tests.onboardings.wizards import a_wizard
from tests.serving import FJORD, Service, pointers, problem_of


@pytest.mark.parametrize("hours", [20, 24, 60])
async def test_it_lives_as_long_as_a_new_one_from_now_on(service: Service, hours: int) -> None:
    wizard = await a_wizard(service)
    service.now = NOW + timedelta(hours=hours)
    answer = await wizard.lengthen()
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    for name in ("clientId", "confirmUrl", "shareUrl", "pairingCode"):
        assert body[name] == wizard.created[name]
    assert body["timesLeft"] == MOST_LENGTHENINGS - 1
    onboarding = await wizard.onboarding()
    assert (onboarding["outcome"], onboarding["state"]) == ("pending", "waitingForConfirmation")
    [expires_at] = await service.ask(select(ClientDraft.expires_at))
    assert expires_at == service.now + timedelta(hours=24)
    happened = await service.ask(
        select(AuditEvent.happened)
        .where(AuditEvent.subject == wizard.client_id)
        .order_by(AuditEvent.id)
    )
    assert happened == ["clientDraft.created", "clientDraft.lengthened"]


async def test_who_has_not_seen_what_he_lengthens_is_told_so(service: Service) -> None:
    wizard = await a_wizard(service)
    seen = (await wizard.read()).headers["etag"]
    assert (await wizard.lengthen(if_match=seen)).status_code == 200
    answer = await wizard.lengthen(if_match=seen)
    assert answer.status_code == 412
    assert problem_of(answer)["type"].endswith("/precondition-failed")
    assert await service.ask(select(ClientDraft.lengthened)) == [1]
    assert (await wizard.lengthen(if_match="*")).status_code == 200


@pytest.mark.race
async def test_of_eight_who_have_seen_the_same_one_lengthens(service: Service) -> None:
    wizard = await a_wizard(service)
    seen = (await wizard.read()).headers["etag"]
    answers = await asyncio.gather(*(wizard.lengthen(if_match=seen) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 7}


async def test_it_is_told_nothing_else(service: Service) -> None:
    wizard = await a_wizard(service)
    assert pointers(await wizard.lengthen(b'{"hours": 48}')) == [("#/hours", "unknown_member")]
    assert (await wizard.lengthen(b"{}")).status_code == 200


async def test_what_has_been_confirmed_is_not_lengthened(service: Service) -> None:
    wizard = await a_wizard(service)
    await wizard.confirm()
    answer = await wizard.lengthen()
    assert answer.status_code == 409
    assert problem_of(answer)["type"].endswith("/wrong-state")


async def test_another_draft_is_not_lengthened(service: Service) -> None:
    wizard, other = await a_wizard(service), await a_wizard(service)
    wizard.client_id = other.client_id
    answer = await wizard.lengthen()
    assert answer.status_code == 404
    assert problem_of(answer)["type"].endswith("/onboarding-not-found")


@pytest.mark.parametrize("headers", [{}, {"api-key": FJORD}, {"Authorization": "Bearer nothing"}])
async def test_only_the_onboarding_token_will_do(service: Service, headers: dict[str, str]) -> None:
    wizard = await a_wizard(service)
    path = f"/v1/onboardings/{wizard.client_id}/confirm-link"
    assert (await service.http.post(path, headers=headers)).status_code == 401
    client = await service.client()
    answer = await client.call("POST", f"/v1/onboardings/{client.client_id}/confirm-link")
    assert answer.status_code == 401


@pytest.mark.race
async def test_eight_at_once_lengthen_it_five_times(service: Service) -> None:
    wizard = await a_wizard(service)
    answers = await asyncio.gather(*(wizard.lengthen() for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 5, 409: 3}
    left = sorted(answer.json()["timesLeft"] for answer in answers if answer.is_success)
    assert left == [0, 1, 2, 3, 4]
    async with service.database.sessions() as db:
        draft = await db.get_one(ClientDraft, UUID(wizard.client_id))
    assert draft.lengthened == MOST_LENGTHENINGS
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert problem_of(refused)["type"].endswith("/draft-lengthened-too-often")
