"""Revoking the token that came with a draft: nothing that was given out before opens anything."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access.models import OnboardingTokenVersion
from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR
from app.onboardings.revoking import revoke_onboarding_token
from tests.examples import NOW
from tests.onboardings.wizards import Wizard, a_wizard, waiting
from tests.serving import Client, Service, problem_of


async def revoke(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        await revoke_onboarding_token(
            db, UUID(wizard.client_id), actor=OPERATOR, reason="Lekkasje", now=NOW
        )


async def test_a_revoked_token_is_told_so_and_opens_nothing(service: Service) -> None:
    wizard, other = await a_wizard(service), await a_wizard(service)
    await revoke(wizard)
    for answer in (await wizard.read(), await wizard.lengthen()):
        assert answer.status_code == 401
        assert 'Bearer error="invalid_token"' in answer.headers["www-authenticate"]
        assert "has been revoked" in problem_of(answer)["detail"]
    other.client_id = wizard.client_id  # a token that was never right is told nothing
    assert (await other.read()).status_code == 404


async def test_a_request_that_waits_ends_at_once(service: Service) -> None:
    wizard = await a_wizard(service)
    async with waiting(wizard) as held:
        await revoke(wizard)
        async with asyncio.timeout(3):
            assert (await held).status_code == 401


async def test_nothing_else_changes_for_the_client(service: Service) -> None:
    wizard = await a_wizard(service)
    await wizard.confirm()
    await revoke(wizard)
    assert (await wizard.read()).status_code == 401
    client = Client(service, UUID(wizard.client_id), wizard.key)
    assert (await client.get(f"/v1/onboardings/{wizard.client_id}")).status_code == 200


async def test_the_first_answer_sent_again_holds_no_new_token(service: Service) -> None:
    named = {"Idempotency-Key": "one"}
    wizard = await a_wizard(service)
    body = {"organizationNumber": wizard.created.get("organizationNumber", "310000019")}
    body["publicJwk"] = wizard.key.members
    first = await service.draft(body, **named)
    wizard.client_id, wizard.token = first.json()["clientId"], first.json()["onboardingToken"]
    await revoke(wizard)
    again = await service.draft(body, **named)
    assert again.headers["idempotency-replayed"] == "true"
    wizard.token = again.json()["onboardingToken"]
    assert (await wizard.read()).status_code == 401


@pytest.mark.race
async def test_each_of_eight_at_once_counts(service: Service) -> None:
    wizard = await a_wizard(service)
    await asyncio.gather(*(revoke(wizard) for _ in range(8)))
    assert await service.ask(select(OnboardingTokenVersion.version)) == [9]
    told = select(AuditEvent.details).where(AuditEvent.happened == "onboardingToken.revoked")
    assert await service.ask(told) == [{"reason": "Lekkasje"}] * 8
