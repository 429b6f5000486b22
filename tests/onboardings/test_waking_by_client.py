"""What becomes of a client and of its keys wakes whoever waits for it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.approvals.decisions import Decision, decide_access, due_decisions
from app.approvals.models import ScopeAccess
from app.approvals.rules import AccessEvent
from app.audit.trail import OPERATOR, WORKER
from app.client_configurations.operator import change_status
from app.client_drafts.replacement import exchange_due
from app.client_keys.ending import end_keys, keys_published
from app.client_keys.leaks import note_leak
from app.client_keys.revoking import revoke_key
from app.clients.rules import ClientEvent
from app.delegations.answers import Standing
from app.delegations.asking import state_changed
from app.delegations.marking import register_said
from app.delegations.models import Delegation
from app.delegations.rules import State
from app.organizations.register import RegisterEntry, Verdict
from app.publications.queries import scopes_told
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import ec_key
from tests.onboardings.changes import SOON, Change, catalogue_applied, confirmed, is_woken
from tests.onboardings.wizards import Wizard, a_wizard, a_wizard_in_place_of, waiting
from tests.serving import CLIENT_SCOPE, EDI, Client, Service

MSH = "nhn:msh/api"


def decided(event: AccessEvent, *, claim: bool = False) -> Change:
    async def decide(wizard: Wizard) -> None:
        async with wizard.service.database.sessions() as db:
            decision = Decision(
                client_id=UUID(wizard.client_id),
                event=event,
                scope=None if claim else MSH,
                claim_type="herid" if claim else None,
                actor=OPERATOR,
                at=NOW,
            )
            await decide_access(db, decision)

    return decide


async def decided_by_the_clock(wizard: Wizard) -> None:
    sessions = wizard.service.database.sessions
    async with sessions.begin() as db:
        of_client = select(ScopeAccess).where(
            ScopeAccess.client_id == UUID(wizard.client_id), ScopeAccess.scope == MSH
        )
        [scope] = (await db.scalars(of_client)).all()
        scope.decide_at, scope.decide_as = NOW, AccessEvent.APPROVE
    assert await due_decisions(sessions, NOW)


def delegation_is(state: State) -> Change:
    async def change(wizard: Wizard) -> None:
        async with wizard.service.database.sessions.begin() as db:
            of_client = select(Delegation).where(Delegation.client_id == UUID(wizard.client_id))
            [delegation] = (await db.scalars(of_client)).all()
            after = Standing(state=state, since=NOW)
            await state_changed(db, delegation, after, actor=WORKER, now=NOW)

    return change


async def deleted_in_the_register(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        entry = RegisterEntry(verdict=Verdict.DELETED, name=f"ENHET {ORGANIZATION}")
        await register_said(db, ORGANIZATION, entry, now=NOW)


async def renamed_in_the_register(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        entry = RegisterEntry(verdict=Verdict.MAIN_UNIT, name="NYTT NAVN AS")
        await register_said(db, ORGANIZATION, entry, now=NOW)


async def told_to_the_issuer(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        await scopes_told(db, UUID(wizard.client_id), [CLIENT_SCOPE])


async def key_published(wizard: Wizard) -> None:
    async with wizard.service.database.sessions.begin() as db:
        await keys_published(db, UUID(wizard.client_id), [wizard.key.thumbprint], now=NOW)


async def key_ended(wizard: Wizard) -> None:
    wizard.service.now = NOW + timedelta(days=91)
    assert await end_keys(wizard.service.database.sessions, now=wizard.service.now)


async def key_leaked(wizard: Wizard) -> None:
    catalogue = await wizard.service.app.state.catalogues.in_force()
    sessions = wizard.service.database.sessions
    await note_leak(sessions, catalogue, wizard.key.thumbprint, now=NOW)


async def key_revoked(wizard: Wizard) -> None:
    async with wizard.service.database.sessions() as db:
        thumbprint = wizard.key.thumbprint
        await revoke_key(db, UUID(wizard.client_id), thumbprint, actor=OPERATOR, now=NOW)


def as_client(wizard: Wizard) -> Client:
    return Client(wizard.service, UUID(wizard.client_id), wizard.key)


async def key_added(wizard: Wizard) -> None:
    """That alters nothing of the onboarding but what counts as its version."""
    assert (await as_client(wizard).post_key(ec_key().members)).status_code == 200


async def second_key_published(wizard: Wizard) -> None:
    second = ec_key()
    assert (await as_client(wizard).post_key(second.members)).status_code == 200
    async with wizard.service.database.sessions.begin() as db:
        await keys_published(db, UUID(wizard.client_id), [second.thumbprint], now=NOW)


async def key_retired(wizard: Wizard) -> None:
    path = f"/v1/client-secret/{wizard.key.thumbprint}"
    answer = await as_client(wizard).call("DELETE", path)
    assert answer.status_code == 204, answer.text


async def changed(wizard: Wizard) -> None:
    answer = await as_client(wizard).put({"apiScopes": [CLIENT_SCOPE]})
    assert answer.status_code == 204, answer.text


def operator_does(event: ClientEvent) -> Change:
    async def change(wizard: Wizard) -> None:
        async with wizard.service.database.sessions() as db:
            await change_status(db, UUID(wizard.client_id), event, actor=OPERATOR, now=NOW)

    return change


blocked = operator_does(ClientEvent.BLOCK)
approved = decided(AccessEvent.APPROVE)
given = delegation_is(State.ACTIVE)
OF_CLIENTS: dict[str, tuple[list[Change], Change]] = {
    "a scope is approved": ([], approved),
    "a scope is refused": ([], decided(AccessEvent.REFUSE)),
    "a scope is withdrawn": ([approved], decided(AccessEvent.REFUSE)),
    "a scope is approved when it is due": ([], decided_by_the_clock),
    "a right is missing": ([], delegation_is(State.MISSING)),
    "a right is asked for": ([], delegation_is(State.REQUEST_PENDING)),
    "a right is given": ([], given),
    "a right may be gone": ([given], delegation_is(State.SUSPECT)),
    "a right is withdrawn": ([given], delegation_is(State.REVOKED)),
    "the organization is deleted": ([], deleted_in_the_register),
    "the organization is renamed": ([], renamed_in_the_register),
    "the issuer is told of the scopes": ([], told_to_the_issuer),
    "the issuer is told of the key": ([], key_published),
    "a key is added": ([], key_added),
    "a key is retired": ([second_key_published], key_retired),
    "a key is revoked": ([], key_revoked),
    "a key has leaked": ([], key_leaked),
    "a key has ended": ([], key_ended),
    "the client is changed": ([], changed),
    "the client is blocked": ([], blocked),
    "the client is unblocked": ([blocked], operator_does(ClientEvent.UNBLOCK)),
    "the client is closed": ([], operator_does(ClientEvent.CLOSE)),
    "the catalogue is another": ([], catalogue_applied),
}


@pytest.mark.parametrize("what", OF_CLIENTS)
async def test_a_change_of_the_client_wakes_at_once(service: Service, what: str) -> None:
    before, change = OF_CLIENTS[what]
    wizard = await a_wizard(service, EDI)
    for earlier in (confirmed, *before):
        await earlier(wizard)
    await is_woken(wizard, change)


@pytest.mark.parametrize("event", AccessEvent)
async def test_a_decision_on_a_changed_claim_wakes_at_once(
    service: Service, event: AccessEvent
) -> None:
    asked = {"apiScopes": [CLIENT_SCOPE, MSH]}
    herid = [{"key": "herid", "value": "0"}, {"key": "herid", "value": "123-456"}]
    number = "310000094"  # its claims wait, also in a test environment
    wizard = await a_wizard(
        service,
        EDI,
        organizationNumber=number,
        audienceSpecificClientClaims=herid[:1],
        **asked,
    )
    await wizard.confirm()
    body = asked | {"audienceSpecificClientClaims": herid[1:]}
    assert (await as_client(wizard).put(body)).status_code == 204
    await is_woken(wizard, decided(event, claim=True))


async def said_to_be_lost(service: Service, *, in_use: bool) -> tuple[Wizard, Wizard]:
    """The old installation, and the one that has a new key for the same client."""
    old = await a_wizard(service, apiScopes=[CLIENT_SCOPE])
    await old.confirm()
    if in_use:
        assert (await as_client(old).get()).status_code == 200  # which is noted
    return old, await a_wizard_in_place_of(old)


async def exchanged(wizard: Wizard) -> None:
    service = wizard.service
    service.now = NOW + timedelta(hours=24)
    catalogue = await service.app.state.catalogues.in_force()
    sessions = service.database.sessions
    assert await exchange_due(sessions, catalogue, service.settings, now=service.now)


async def stopped(wizard: Wizard) -> None:
    answer = await as_client(wizard).call("DELETE", "/v1/client/key-replacement")
    assert answer.status_code == 204, answer.text


async def test_the_installation_in_use_is_woken_when_its_keys_are_to_be_replaced(
    service: Service,
) -> None:
    old, new = await said_to_be_lost(service, in_use=True)
    async with waiting(old) as held:
        await new.confirm()
        answer = await asyncio.wait_for(held, SOON)
    assert [step["reasonCode"] for step in answer.json()["steps"]].count("keysSaidLost") == 1


@pytest.mark.parametrize("change", [exchanged, stopped])
async def test_both_are_woken_by_what_becomes_of_a_replacement(
    service: Service, change: Change
) -> None:
    old, new = await said_to_be_lost(service, in_use=True)
    await new.confirm()
    async with waiting(old) as first, waiting(new) as second:
        await change(old)
        for held in (first, second):
            assert (await asyncio.wait_for(held, SOON)).status_code == 200


async def test_who_has_the_new_key_is_woken_by_what_becomes_of_the_client(
    service: Service,
) -> None:
    _, new = await said_to_be_lost(service, in_use=False)
    await new.confirm()
    client_id = UUID(new.created["clientId"])
    before = await new.onboarding()
    assert before["clientId"] == str(client_id)  # its own, as the draft's answer has it
    async with waiting(new) as held:
        async with service.database.sessions.begin() as db:
            await keys_published(db, client_id, [new.key.thumbprint], now=NOW)
            await scopes_told(db, client_id, [CLIENT_SCOPE])
        answer = await asyncio.wait_for(held, SOON)
    assert answer.json()["outcome"] == "ready"


async def test_a_key_that_comes_into_its_window_is_seen_when_the_time_is_up(
    service: Service,
) -> None:
    """No clock strikes then: whoever waits learns of it with the next answer."""
    wizard = await a_wizard(service)
    for change in (confirmed, key_published):
        await change(wizard)
    async with waiting(wizard, seconds=1) as held:
        service.now = NOW + timedelta(days=80)
        answer = await held
    assert "keyExpiresSoon" in [step["reasonCode"] for step in answer.json()["steps"]]
