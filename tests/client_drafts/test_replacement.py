"""A new key for an installation that has lost its own."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import func, select, text, update

from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR
from app.client_configurations.operator import change_status
from app.client_drafts.activation import activation_code
from app.client_drafts.models import ClientDraft
from app.client_drafts.replacement import next_exchange_due
from app.client_drafts.rules import DeclineReason, DraftOutdated, DraftStatus
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent
from tests.client_drafts.lost_keys import DAY, WEEK, Lost, ask, lost
from tests.installers.keys import InstallersKey, ec_key, key_proof
from tests.serving import CLIENT_SCOPE, Client, Service, a_draft, pointers, problem_of

RETURN = "http://localhost:8765/done"
SKY = "sandbox-sky"


async def test_the_answer_names_the_old_client_and_nothing_has_changed(service: Service) -> None:
    case = await lost(service)
    assert case.told["clientId"] == str(case.client_id)
    assert case.told["draftId"] == str(case.draft_id) != case.told["clientId"]
    assert await case.keys() == {case.old.key.thumbprint: KeyState.ACTIVATING}
    draft = await case.draft()
    assert draft.asked.api_scopes == [CLIENT_SCOPE, "nhn:msh/api"]
    assert [(claim.key, claim.value) for claim in draft.asked.claims] == [("herid", "0")]
    assert draft.asked.redirect_uris == ["http://localhost:1337/callback"]
    assert draft.pairing
    assert (await case.old.get()).status_code == 200


async def test_unknown_and_foreign_clients_get_the_same_answer(service: Service) -> None:
    client = await service.client()
    blocked = await service.client()
    async with service.database.sessions() as db:
        await change_status(
            db, blocked.client_id, ClientEvent.BLOCK, actor=OPERATOR, now=service.now
        )
    unknown = Client(service, uuid4(), ec_key())
    refused = [
        await ask(service, unknown),
        await ask(service, client, api_key="sandbox-edi"),
        await ask(service, client, organizationNumber="310000051"),
        await ask(service, blocked),
    ]
    assert {answer.status_code for answer in refused} == {404}
    bodies = [{**problem_of(answer), "traceId": ""} for answer in refused]
    assert bodies == [bodies[0]] * 4
    assert bodies[0]["type"].endswith("/replaced-client-not-found")


async def test_a_new_key_brings_nothing_else_along(service: Service) -> None:
    client = await service.client()
    answer = await ask(service, client, apiScopes=[CLIENT_SCOPE], redirectUris=[])
    assert pointers(answer) == [("#/apiScopes", "is_kept"), ("#/redirectUris", "is_kept")]


async def test_a_kid_is_not_used_twice(service: Service) -> None:
    old = await service.client()
    key = ec_key(kid=old.key.members["kid"])
    assert pointers(await ask(service, old, key=key)) == [("#/publicJwk/kid", "kid_taken")]


async def test_the_old_keys_end_and_the_client_stays_what_it_is(service: Service) -> None:
    case = await lost(service)
    before = (await case.old.get()).json()
    async with service.database.sessions.begin() as db:
        await db.execute(update(ClientKey).values(last_used_at=None))
    decided = await case.confirm()
    assert (decided.draft.status, decided.published_version) == (DraftStatus.CONFIRMED, 2)
    assert await case.keys() == {
        case.old.key.thumbprint: KeyState.REVOKED,
        case.key.thumbprint: KeyState.ACTIVATING,
    }
    assert (await case.old.get()).status_code == 401
    assert (await case.with_new_key().get()).json() == before
    assert await service.ask(select(func.count()).select_from(ClientConfiguration)) == [2]
    [event] = await service.ask(
        select(AuditEvent).where(AuditEvent.happened == "clientKeys.replaced")
    )
    assert (event.actor, event.subject) == ("person:kari", str(case.client_id))


@pytest.mark.parametrize(("seen", "at_once"), [(WEEK, False), (WEEK + DAY, True), (None, True)])
async def test_a_key_that_was_seen_lately_delays_the_exchange(
    service: Service, seen: timedelta | None, at_once: bool
) -> None:
    case = await lost(service, seen=seen)
    decided = await case.confirm()
    assert (decided.published_version is not None) == at_once
    states = await case.keys()
    assert (states[case.old.key.thumbprint] is KeyState.REVOKED) == at_once
    waits = DraftStatus.CONFIRMED if at_once else DraftStatus.AWAITING_EXCHANGE
    assert (await case.draft()).status is waits
    told = select(AuditEvent.happened).where(AuditEvent.subject == str(case.client_id))
    happened = "clientKeys.replaced" if at_once else "clientKeys.replacementDelayed"
    assert (await service.ask(told.order_by(AuditEvent.id)))[-1] == happened


async def test_after_a_day_the_keys_change_by_themselves(service: Service) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    assert not await case.exchanges()
    due = await next_exchange_due(service.database.sessions, service.now)
    assert due == service.now + DAY
    service.now += DAY
    assert await case.exchanges()
    assert not await case.exchanges()
    assert (await case.keys())[case.old.key.thumbprint] is KeyState.REVOKED
    assert (await case.draft()).status is DraftStatus.CONFIRMED
    assert (await case.with_new_key().get()).status_code == 200


async def test_an_exchange_that_has_become_impossible_ends_with_a_reason(
    service: Service,
) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    async with service.database.sessions() as db:
        await change_status(db, case.client_id, ClientEvent.CLOSE, actor=OPERATOR, now=service.now)
    service.now += DAY
    assert await case.exchanges()
    draft = await case.draft()
    assert draft.status is DraftStatus.DECLINED
    assert draft.decline_reason is DeclineReason.NO_LONGER_OFFERED


@pytest.mark.parametrize("whose", ["its own", "another's"])
async def test_a_kid_that_the_client_has_used_meanwhile_is_not_used_again(
    service: Service, whose: str
) -> None:
    case = await lost(service)
    user = case.old if whose == "its own" else await service.client()
    assert (await user.post_key(ec_key(kid=case.key.thumbprint).members)).status_code == 200
    if whose == "its own":
        with pytest.raises(DraftOutdated, match="the same kid"):
            await case.confirm()
    else:
        assert (await case.confirm()).draft.status is DraftStatus.CONFIRMED


async def test_a_key_that_is_taken_before_the_day_is_over_is_not_exchanged(
    service: Service,
) -> None:
    case, other = await lost(service, seen=DAY), await service.client()
    await case.confirm()
    assert (await other.post_key(case.key.members)).status_code == 200
    await refused_as_taken(case)


async def refused_as_taken(case: Lost) -> None:
    """Its exchange has been, or is to be, refused: nothing has happened to the old key."""
    case.service.now += DAY
    assert await case.exchanges()
    assert not await case.exchanges()
    draft = await case.draft()
    assert draft.status is DraftStatus.DECLINED
    assert draft.decline_reason is DeclineReason.KEY_TAKEN
    assert (await case.keys())[case.old.key.thumbprint] is KeyState.ACTIVATING


@pytest.mark.race
async def test_a_key_that_is_taken_at_the_same_moment_is_not_exchanged(service: Service) -> None:
    case, other = await lost(service, seen=DAY), await service.client()
    await case.confirm()
    [row] = await service.ask(select(ClientKey).where(ClientKey.client_id == other.client_id))
    async with service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey)
            .where(ClientKey.thumbprint == row.thumbprint)
            .values(thumbprint=case.key.thumbprint)
        )
        exchange = asyncio.create_task(refused_as_taken(case))
        await somebody_waits(service)
    await exchange


async def somebody_waits(service: Service) -> None:
    """Until a statement waits for what another transaction does."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1_000):
        if await service.ask(waiting) != [0]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_with_activation_nothing_changes_before_the_code(service: Service) -> None:
    old_key = ec_key()
    told = (
        await service.draft(a_draft(old_key, postClientConfirmationRedirectUri=RETURN), api_key=SKY)
    ).json()
    old = Client(service, UUID(told["clientId"]), old_key)
    await service.confirm(old.client_id)
    await activate(service, told, old_key)
    case = await lost(service, old=old, api_key=SKY, postClientConfirmationRedirectUri=RETURN)
    await case.confirm()
    assert (await case.keys())[old_key.thumbprint] is KeyState.ACTIVATING
    seen = await service.http.get(
        f"/v1/onboardings/{case.draft_id}",
        headers={"Authorization": f"Bearer {case.told['onboardingToken']}"},
    )
    answer = await activate(
        service, case.told, case.key, case.draft_id, **{"If-Match": seen.headers["etag"]}
    )
    assert answer.json() == {"clientId": str(old.client_id), "status": "confirmed"}
    assert (await case.keys())[old_key.thumbprint] is KeyState.REVOKED
    assert service.told[-1] == (old.client_id, 2)


async def activate(
    service: Service,
    told: dict[str, Any],
    key: InstallersKey,
    draft_id: UUID | None = None,
    **headers: str,
) -> httpx2.Response:
    async with service.database.sessions() as db:
        draft = await db.get_one(ClientDraft, draft_id or UUID(told["clientId"]))
    code = activation_code(draft, secret_key=service.settings.secret_key)
    proof = key_proof(key, told["clientId"], told["activationUrl"], code=code)
    body = {"activation": proof}
    answer = await service.http.post(told["activationUrl"], json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.race
@pytest.mark.parametrize("seen", [None, DAY])
async def test_two_drafts_for_one_client_end_with_one_key(
    service: Service, seen: timedelta | None
) -> None:
    first = await lost(service, seen=seen)
    second = await lost(service, seen=seen, old=first.old)
    found = await asyncio.gather(
        *(case.confirm() for case in [first, second] * 4), return_exceptions=True
    )
    kinds = Counter(type(outcome).__name__ for outcome in found)
    live = [state for state in (await first.keys()).values() if state is KeyState.ACTIVATING]
    assert len(live) == 1
    if seen is None:  # one after the other: the later one's key stays
        assert kinds == {"Decided": 2, "WrongState": 6}
    else:
        assert (kinds["Decided"], kinds["DraftOutdated"] >= 1) == (1, True)
        assert DraftOutdated.__name__ in kinds


@pytest.mark.race
async def test_a_change_of_the_client_meanwhile_goes_before_or_after(service: Service) -> None:
    case = await lost(service)
    body = {"apiScopes": [CLIENT_SCOPE], "redirectUris": []}

    async def change() -> int:
        return (await case.old.put(body)).status_code

    async def add_key() -> int:
        return (await case.old.post_key(ec_key().members)).status_code

    changes = [change(), add_key()] * 3
    found = await asyncio.gather(case.confirm(), *changes, return_exceptions=True)
    assert {outcome for outcome in found if isinstance(outcome, int)} <= {200, 204, 401}
    states = await case.keys()
    live = {name for name, state in states.items() if state is KeyState.ACTIVATING}
    draft = await case.draft()
    if draft.status is DraftStatus.CONFIRMED:
        assert live == {case.key.thumbprint}
    else:  # the changes were seen as use of the old key
        assert draft.status is DraftStatus.AWAITING_EXCHANGE
        assert case.key.thumbprint not in states
