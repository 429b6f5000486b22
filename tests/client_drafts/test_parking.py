"""Decisions that could not be verified when they were taken: kept, asked about, ended."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, update

from app.access.person_rights import Held
from app.apis.models import CatalogueVersion
from app.audit.models import AuditEvent
from app.client_drafts.models import ClientDraft, ParkedDecision
from app.client_drafts.parking import park_client_draft, pass_on_client_draft
from app.client_drafts.rules import (
    FIRST_WAIT,
    LONGEST_WAIT,
    SURE_OF_NO_AFTER,
    TRANSITIONS,
    VERIFIED_WITHIN,
    DeclineReason,
    DraftEvent,
    DraftExpired,
    DraftNotFound,
    DraftStatus,
    wait_before_asking,
)
from app.client_drafts.use_cases import Decided
from app.client_drafts.verifying import Verifier, verify_one
from app.client_keys.models import ClientKey
from app.clients.models import ClientConfiguration
from app.organizations.models import Organization
from app.organizations.register import RegisterEntry, RegisterUnavailable, Verdict
from app.publications.models import Publication
from app.state_machine import WrongState, next_state
from tests.client_drafts.rights import PERSON, ToldRights
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import InstallersKey, ec_key
from tests.serving import KARI, Service, a_draft

UNKNOWN_NUMBER = "310000108"


def test_every_event_that_the_table_leaves_out_is_refused() -> None:
    for status in DraftStatus:
        for event in DraftEvent:
            if (status, event) in TRANSITIONS:
                continue
            with pytest.raises(WrongState):
                next_state(TRANSITIONS, status, event)
    verifying = {event for status, event in TRANSITIONS if status is DraftStatus.VERIFYING_RIGHT}
    assert verifying == {
        DraftEvent.VERIFY,
        DraftEvent.REFUSE,
        DraftEvent.ACTIVATE,
        DraftEvent.AWAIT_ACTIVATION,
        DraftEvent.LAPSE,
    }


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_it_is_asked_again_later_each_time_and_never_in_step(jitter: float) -> None:
    waits = [wait_before_asking(attempts, jitter) for attempts in range(40)]
    assert waits == sorted(waits)
    assert waits[0] >= FIRST_WAIT * 0.75
    assert waits[-1] <= LONGEST_WAIT * 1.25
    assert wait_before_asking(3, 0.1) != wait_before_asking(3, 0.9)


class AwayRegister:
    """Enhetsregisteret, which answers when a test wants it to."""

    def __init__(self, entry: RegisterEntry | None = None) -> None:
        self.entry = entry

    async def look_up(self, number: str, *, known: RegisterEntry | None = None) -> RegisterEntry:
        if self.entry is None:
            raise RegisterUnavailable("told to")
        return self.entry


async def parked(
    service: Service, key: InstallersKey | None = None, *, number: str = ORGANIZATION
) -> UUID:
    answer = await service.draft(a_draft(key, organizationNumber=number))
    assert answer.status_code == 201, answer.text
    client_id = UUID(answer.json()["clientId"])
    await park(service, client_id)
    return client_id


async def park(service: Service, client_id: UUID) -> Decided:
    async with service.database.sessions() as db:
        return await park_client_draft(
            db,
            KARI,
            client_id,
            person=PERSON,
            contact_email="post@legekontoret.example",
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=service.now,
        )


def verifier(service: Service, rights: ToldRights | None, register: Any = None) -> Verifier:
    return Verifier(
        service.database.sessions,
        service.app.state.catalogues,
        register or AwayRegister(),
        rights,
        service.settings,
    )


async def verified(
    service: Service, rights: ToldRights | None, register: Any = None, *, after: timedelta
) -> bool:
    service.now += after
    return await verify_one(verifier(service, rights, register), now=service.now)


async def drafts(service: Service) -> list[ClientDraft]:
    return await service.ask(select(ClientDraft))


async def rows(service: Service, table: Any) -> int:
    """Those of drafts: the sandbox's catalogue declares a client without one."""
    return len(await service.ask(of_drafts(table)))


def of_drafts(table: Any) -> Any:
    return select(table).where(table.client_id.in_(select(ClientDraft.client_id)))


SOON = timedelta(seconds=10)


async def test_a_parked_decision_makes_no_client_and_shows_no_number(service: Service) -> None:
    await parked(service)
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.VERIFYING_RIGHT
    assert (draft.decided_at, draft.decided_by) == (NOW, "kari")
    for table in (ClientConfiguration, ClientKey, Publication):
        assert await rows(service, table) == 0
    [kept] = await service.ask(select(ParkedDecision))
    trail = await service.ask(select(AuditEvent).order_by(AuditEvent.id))
    assert trail[-1].happened == "clientDraft.parked"
    for row in (kept, draft, *trail):
        assert PERSON.digits not in repr(vars(row))


async def test_a_yes_makes_the_client_and_forgets_the_person(service: Service) -> None:
    client_id = await parked(service)
    rights = ToldRights(Held.YES)
    assert not await verified(service, rights, after=timedelta())
    assert await verified(service, rights, after=SOON)
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.CONFIRMED
    [question] = rights.asked
    assert question.person == PERSON
    assert (question.organization_number, question.security_level) == (ORGANIZATION, 4)
    assert (question.resource_id, question.action) == ("nhn-helseid-ta-i-bruk", "access")
    [client] = await service.ask(of_drafts(ClientConfiguration))
    assert (client.client_id, client.contact_email) == (client_id, "post@legekontoret.example")
    assert await rows(service, Publication) == 1
    assert await rows(service, ParkedDecision) == 0
    [event] = await service.ask(
        select(AuditEvent).where(AuditEvent.happened == "clientDraft.confirmed")
    )
    assert event.actor == "person:kari"
    assert not await verified(service, rights, after=SOON)


@pytest.mark.parametrize(
    ("answer", "after"), [(Held.NO, SURE_OF_NO_AFTER), (Held.WEAK_LOGIN, timedelta(seconds=10))]
)
async def test_a_no_ends_it_with_a_reason(service: Service, answer: Held, after: timedelta) -> None:
    await parked(service)
    assert await verified(service, ToldRights(answer), after=after)
    [draft] = await drafts(service)
    assert (draft.status, draft.decline_reason) == (DraftStatus.DECLINED, DeclineReason.NO_RIGHT)
    assert await rows(service, ClientConfiguration) == 0
    assert await rows(service, ParkedDecision) == 0
    [event] = await service.ask(
        select(AuditEvent).where(AuditEvent.happened == "clientDraft.refused")
    )
    assert (event.actor, event.details) == ("worker", {"reason": "noRight"})


async def test_a_no_within_ten_minutes_may_only_mean_that_altinn_has_not_noticed(
    service: Service,
) -> None:
    """Somebody was given the right a moment ago, and confirmed: Altinn goes on saying no."""
    await parked(service)
    rights = ToldRights(Held.NO)
    for _ in range(9):
        await verified(service, rights, after=timedelta(minutes=1))
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.VERIFYING_RIGHT
    assert 3 <= len(rights.asked) <= 9
    assert [question.urgent for question in rights.asked[:3]] == [True, False, False]
    assert await verified(service, ToldRights(Held.YES), after=timedelta(minutes=1))
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.CONFIRMED


async def test_no_answer_changes_nothing_until_a_day_has_passed(service: Service) -> None:
    await parked(service)
    silent = ToldRights(None)
    assert await verified(service, silent, after=SOON)
    [kept] = await service.ask(select(ParkedDecision))
    assert (kept.attempts, kept.leased_until) == (1, None)
    assert kept.due_at > service.now
    for _ in range(20):
        await verified(service, silent, after=timedelta(minutes=20))
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.VERIFYING_RIGHT
    assert await verified(service, silent, after=VERIFIED_WITHIN)
    [draft] = await drafts(service)
    assert draft.decline_reason is DeclineReason.NOT_VERIFIED
    assert await rows(service, ParkedDecision) == 0


async def test_a_draft_that_was_decided_in_time_does_not_expire_meanwhile(
    service: Service,
) -> None:
    await parked(service)
    assert await verified(service, ToldRights(Held.YES), after=timedelta(hours=25))
    assert [draft.status for draft in await drafts(service)] == [DraftStatus.CONFIRMED]


async def test_where_no_altinn_is_asked_the_register_alone_decides(service: Service) -> None:
    await parked(service, number=UNKNOWN_NUMBER)
    assert await verified(service, None, AwayRegister(), after=SOON)
    assert [draft.status for draft in await drafts(service)] == [DraftStatus.VERIFYING_RIGHT]
    back = AwayRegister(RegisterEntry(verdict=Verdict.MAIN_UNIT, name="NY AS"))
    assert await verified(service, None, back, after=timedelta(minutes=1))
    [client] = await service.ask(of_drafts(ClientConfiguration))
    assert client.organization_name == "NY AS"


@pytest.mark.parametrize("verdict", [Verdict.BANKRUPT, Verdict.SUB_UNIT, Verdict.DELETED])
async def test_what_the_register_says_in_the_end_counts(service: Service, verdict: Verdict) -> None:
    await parked(service, number=UNKNOWN_NUMBER)
    register = AwayRegister(RegisterEntry(verdict=verdict, name="NY AS"))
    assert await verified(service, ToldRights(Held.YES), register, after=SOON)
    [draft] = await drafts(service)
    assert draft.decline_reason is DeclineReason.ORGANIZATION_REFUSED
    assert await rows(service, ClientConfiguration) == 0


async def test_what_another_client_has_got_meanwhile_ends_it(service: Service) -> None:
    key = ec_key()
    await parked(service, key)
    answer = await service.draft(a_draft(key))
    await service.confirm(UUID(answer.json()["clientId"]))
    assert await verified(service, ToldRights(Held.YES), after=SOON)
    reasons = select(ClientDraft.decline_reason).where(ClientDraft.decline_reason.is_not(None))
    assert await service.ask(reasons) == [DeclineReason.KEY_TAKEN]
    assert await rows(service, ClientConfiguration) == 1


async def test_what_has_left_the_catalogue_ends_it(service: Service) -> None:
    await parked(service)
    async with service.database.sessions.begin() as db:
        await db.execute(update(Organization).values(checked_at=NOW))
        await db.execute(update(ClientDraft).values(client_system_id="gone"))
    assert await verified(service, ToldRights(Held.YES), after=SOON)
    [draft] = await drafts(service)
    assert draft.decline_reason is DeclineReason.NO_LONGER_OFFERED


async def test_nobody_decides_again_while_it_is_verified(service: Service) -> None:
    client_id = await parked(service)
    for decide in (service.confirm, lambda id_: park(service, id_)):
        with pytest.raises(WrongState):
            await decide(client_id)
    with pytest.raises(DraftNotFound):
        await park(service, uuid4())


async def test_what_has_expired_is_not_parked(service: Service) -> None:
    answer = await service.draft(a_draft())
    service.now += timedelta(hours=24)
    with pytest.raises(DraftExpired):
        await park(service, UUID(answer.json()["clientId"]))


async def outcomes(*doing: Any) -> Counter[Any]:
    done = await asyncio.gather(*doing, return_exceptions=True)
    return Counter(one if isinstance(one, bool) else type(one) for one in done)


@pytest.mark.race
async def test_of_eight_who_park_and_confirm_one_decides(service: Service) -> None:
    answer = await service.draft(a_draft())
    client_id = UUID(answer.json()["clientId"])
    deciding = [park(service, client_id) if n % 2 else service.confirm(client_id) for n in range(8)]
    assert await outcomes(*deciding) == {Decided: 1, WrongState: 7}
    [draft] = await drafts(service)
    is_parked = draft.status is DraftStatus.VERIFYING_RIGHT
    assert await rows(service, ParkedDecision) == int(is_parked)
    assert await rows(service, ClientConfiguration) == int(not is_parked)


@pytest.mark.race
async def test_of_eight_workers_one_asks(service: Service) -> None:
    await parked(service)
    service.now += SOON
    rights = ToldRights(Held.YES)
    asking = [verify_one(verifier(service, rights), now=service.now) for _ in range(8)]
    assert await outcomes(*asking) == {True: 1, False: 7}
    assert len(rights.asked) == 1
    assert await rows(service, ClientConfiguration) == 1


@pytest.mark.race
async def test_workers_whose_leases_ran_out_decide_once(service: Service) -> None:
    await parked(service)
    service.now += SOON
    everybody_asks = asyncio.Barrier(8)
    asks = asyncio.Semaphore(0)

    class Slow(ToldRights):
        async def held(self, question: Any) -> Held:
            asks.release()
            await everybody_asks.wait()
            return await super().held(question)

    asking = []
    for n in range(8):
        rights = Slow(Held.WEAK_LOGIN if n % 2 else Held.YES)
        asking.append(asyncio.create_task(verify_one(verifier(service, rights), now=service.now)))
        await asks.acquire()
        async with service.database.sessions.begin() as db:
            await db.execute(update(ParkedDecision).values(leased_until=None))
    await asyncio.gather(*asking)
    [draft] = await drafts(service)
    made = await rows(service, ClientConfiguration)
    assert made == int(draft.status is DraftStatus.CONFIRMED)
    decisions = select(func.count()).where(
        AuditEvent.happened.in_(["clientDraft.confirmed", "clientDraft.refused"])
    )
    assert await service.ask(decisions) == [1]


async def test_passing_on_is_noted_once_and_gives_time(service: Service) -> None:
    answer = await service.draft(a_draft())
    client_id = UUID(answer.json()["clientId"])
    for _ in range(2):
        await pass_on(service, client_id)
        service.now += timedelta(hours=1)
    [draft] = await drafts(service)
    assert draft.status is DraftStatus.PENDING
    assert draft.escalated_at == NOW
    assert draft.expires_at == draft.created_at + timedelta(days=7)
    [event] = await service.ask(
        select(AuditEvent).where(AuditEvent.happened == "clientDraft.passedOn")
    )
    assert event.actor == "person:kari"


async def test_the_client_system_says_how_long_a_passed_on_draft_lives(service: Service) -> None:
    answer = await service.draft(a_draft())
    client_id = UUID(answer.json()["clientId"])
    catalogue = await service.app.state.catalogues.in_force()
    system = catalogue.systems["fjord-epj"]
    for hours, life in ((48, 48), (2, 48)):
        changed = replace(system, passed_on_life_hours=hours)
        rest = [one for one in catalogue.client_systems if one.id != system.id]
        content = replace(catalogue, client_systems=[changed, *rest])
        await service.add(CatalogueVersion(content=content, applied_at=NOW))
        await pass_on(service, client_id)
        [draft] = await drafts(service)
        assert draft.expires_at == draft.created_at + timedelta(hours=life)


async def test_what_is_decided_or_expired_is_not_passed_on(service: Service) -> None:
    await parked(service)
    answer = await service.draft(a_draft())
    service.now += timedelta(hours=24)
    for client_id in (UUID(answer.json()["clientId"]), uuid4()):
        await pass_on(service, client_id)
    for draft in await drafts(service):
        await pass_on(service, draft.client_id)
    assert {draft.escalated_at for draft in await drafts(service)} == {None}


async def pass_on(service: Service, client_id: UUID) -> None:
    catalogue = await service.app.state.catalogues.in_force()
    async with service.database.sessions() as db:
        await pass_on_client_draft(
            db, KARI, client_id, catalogue=catalogue, settings=service.settings, now=service.now
        )
