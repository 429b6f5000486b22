"""Who is told that keys are to be replaced, and who can stop it."""

import asyncio

import pytest
from sqlalchemy import select, update

from app.approvals.models import ApiAccess, ScopeAccess
from app.approvals.rules import AccessState
from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.client_drafts.rules import DeclineReason, DraftStatus
from app.notices.letters import letter_of, link_address
from app.notices.models import Notice
from app.notices.rules import NoticeKind, Recipient
from tests.client_drafts.lost_keys import DAY, lost
from tests.client_drafts.visiting import SAME_ORIGIN
from tests.serving import Service, problem_of


async def told_of(service: Service, kind: NoticeKind) -> list[tuple[Recipient, str | None]]:
    notices = await service.ask(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
    return [(notice.recipient, notice.address) for notice in notices]


async def test_owners_who_approved_by_hand_are_told_of_the_exchange(service: Service) -> None:
    case = await lost(service)
    async with service.database.sessions.begin() as db:
        for access in (ScopeAccess, ApiAccess):
            await db.execute(
                update(access)
                .where(access.client_id == case.client_id)
                .values(state=AccessState.GRANTED)
            )
    await case.confirm()
    assert await told_of(service, NoticeKind.KEYS_REPLACED) == [
        (Recipient.ORGANIZATION, None),
        (Recipient.SUPPLIER, "drift@fjord.example"),
        (Recipient.API_OWNER, "api@nhn.example"),
    ]


async def test_the_supplier_stops_it_by_the_link(service: Service) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    assert await told_of(service, NoticeKind.KEYS_TO_BE_REPLACED) == [
        (Recipient.ORGANIZATION, None),
        (Recipient.SUPPLIER, "drift@fjord.example"),
    ]
    notices = select(Notice).where(Notice.kind == NoticeKind.KEYS_TO_BE_REPLACED)
    [_, notice] = await service.ask(notices.order_by(Notice.id))
    link = link_address(notice, service.settings)
    assert f"stoppe byttet: {link}" in letter_of(notice, service.settings).text
    assert "Er installasjonen fortsatt i bruk?" in (await service.http.get(link)).text
    assert (await case.draft()).status is DraftStatus.AWAITING_EXCHANGE
    for _ in range(2):
        answer = await service.http.post(link, data={"lang": "nb"}, headers=SAME_ORIGIN)
        assert "Byttet er stoppet" in answer.text
    service.now += DAY
    assert not await case.exchanges()
    assert case.key.thumbprint not in await case.keys()
    assert (await case.draft()).decline_reason is DeclineReason.STOPPED
    [event] = await service.ask(
        select(AuditEvent).where(AuditEvent.happened == "clientKeys.replacementStopped")
    )
    assert event.actor == f"notice:{notice.id}"


async def test_a_link_that_blocks_stops_nothing_and_the_other_way_round(
    service: Service,
) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    notices = await service.ask(select(Notice).order_by(Notice.id))
    token = link_address(notices[0], service.settings).rsplit("/", 1)[1]
    assert notices[0].kind is NoticeKind.CLIENT_CONFIRMED
    assert (await service.http.get(f"/stop-replacement/{token}")).status_code == 404
    assert (await service.http.get("/stop-replacement/x")).status_code == 404


async def test_both_installations_are_told_of_it_and_one_has_something_to_do(
    service: Service,
) -> None:
    case = await lost(service, seen=DAY)
    path = f"/v1/onboardings/{case.client_id}"
    before = await case.old.get(path)
    assert "replaceKeys" not in {step["code"] for step in before.json()["steps"]}
    await case.confirm()
    told = await case.old.get(path, if_none_match=before.headers["etag"])
    assert told.json()["outcome"] == before.json()["outcome"]
    [step] = [step for step in told.json()["steps"] if step["code"] == "replaceKeys"]
    assert (step["status"], step["blocking"], step["actor"]) == ("current", False, "supplier")
    assert (step["reasonCode"], step["actionUrl"]) == ("keysSaidLost", None)
    assert step["since"] == "2026-11-22T12:00:00Z"
    assert step["actionExpiresAt"] == "2026-11-23T12:00:00Z"
    assert "DELETE /v1/client/key-replacement" in step["help"]["nb"]

    new = await service.http.get(
        case.told["onboardingUrl"].removeprefix(service.settings.base_url),
        headers={"Authorization": f"Bearer {case.told['onboardingToken']}"},
    )
    assert (new.json()["outcome"], new.json()["state"]) == ("pending", "waitingForKey")
    [step] = [step for step in new.json()["steps"] if step["code"] == "replaceKeys"]
    assert (step["status"], step["blocking"], step["actor"]) == ("waiting", True, "platform")
    assert step["actionExpiresAt"] == "2026-11-23T12:00:00Z"


async def test_the_old_installation_sees_it_and_stops_it(service: Service) -> None:
    case = await lost(service, seen=DAY)
    path = "/v1/client/key-replacement"
    assert problem_of(await case.old.get(path))["type"].endswith("/no-key-replacement")
    async with service.database.sessions() as db:
        counter = select(ClientChanges.counter).where(ClientChanges.client_id == case.client_id)
        before = await db.scalar(counter)
    await case.confirm()
    assert (await service.ask(counter))[0] > before
    seen = await case.old.get(path)
    assert seen.json()["jwkThumbprint"] == case.key.thumbprint
    assert seen.json()["exchangeAt"] == "2026-11-23T12:00:00Z"
    tag = seen.headers["etag"]
    assert (await case.old.get(path, if_none_match=tag)).status_code == 304
    other = await service.client()
    assert (await other.call("DELETE", path)).status_code == 404
    stale = await case.old.call("DELETE", path, if_match='W/"0"')
    assert stale.status_code == 412
    assert (await case.old.call("DELETE", path)).status_code == 204
    assert (await case.old.call("DELETE", path)).status_code == 404
    service.now += DAY
    assert not await case.exchanges()
    assert (await case.draft()).status is DraftStatus.DECLINED


@pytest.mark.race
async def test_stopping_and_the_end_of_the_day_decide_once(service: Service) -> None:
    case = await lost(service, seen=DAY)
    await case.confirm()
    service.now += DAY
    path = "/v1/client/key-replacement"

    async def stop() -> int:
        return (await case.old.call("DELETE", path)).status_code

    found = await asyncio.gather(*(act() for act in [stop, case.exchanges] * 4))
    replaced = (await case.draft()).status is DraftStatus.CONFIRMED
    assert found.count(204) == int(not replaced)
    assert (case.key.thumbprint in await case.keys()) == replaced
