"""Activation: what is confirmed begins when the program sends back what the browser brought."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from msgspec import Struct
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.client_drafts.activation import activation_code
from app.client_drafts.models import ClientDraft
from app.client_drafts.parking import park_client_draft
from app.client_drafts.rules import DeclineReason, DraftStatus
from app.client_drafts.sweeping import lapse_confirmations
from app.client_drafts.use_cases import decline_client_draft
from app.client_drafts.verifying import Verifier, verify_one
from app.client_keys.models import ClientKey
from app.clients.models import ClientConfiguration
from app.publications.models import Publication
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import InstallersKey, ec_key, key_proof
from tests.serving import BASE, FJORD, KARI, Service, a_draft, pointers, problem_of

SKY = "sandbox-sky"
RETURN = "http://localhost:8765/done"
LATE = timedelta(minutes=10)


class Program(Struct):
    """An installed program that has asked for a client."""

    service: Service
    client_id: UUID
    url: str
    key: InstallersKey
    token: str

    async def version(self) -> str:
        answer = await self.service.http.get(
            f"/v1/onboardings/{self.client_id}", headers={"Authorization": f"Bearer {self.token}"}
        )
        return answer.headers["etag"]

    async def draft(self) -> ClientDraft:
        async with self.service.database.sessions() as db:
            return await db.get_one(ClientDraft, self.client_id)

    async def code(self) -> str:
        """What the browser brings."""
        code = activation_code(await self.draft(), secret_key=self.service.settings.secret_key)
        assert code is not None
        return code

    async def confirmed(self) -> str:
        await self.service.confirm(self.client_id)
        return await self.code()

    def proof(self, code: str | None, **changes: Any) -> str:
        return key_proof(self.key, str(self.client_id), self.url, code=code, **changes)

    async def activate(self, code: str | None, **changes: Any) -> httpx2.Response:
        return await self.send({"activation": self.proof(code, **changes)})

    async def send(self, body: Any, **headers: str) -> httpx2.Response:
        return await self.service.http.post(self.url, json=body, headers=headers)

    async def count(self, table: Any) -> int:
        counted = select(func.count()).where(table.client_id == self.client_id)
        found: int = (await self.service.ask(counted))[0]
        return found


async def program(service: Service, *, api_key: str = SKY, **members: Any) -> Program:
    key = ec_key()
    given = {"postClientConfirmationRedirectUri": RETURN} | members
    answer = await service.draft(a_draft(key, **given), api_key=api_key)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["activationUrl"] == f"{BASE}/v1/client-drafts/{told['clientId']}/activation"
    return program_of(service, told, key)


def program_of(service: Service, told: dict[str, Any], key: InstallersKey) -> Program:
    url, token = told["activationUrl"], told["onboardingToken"]
    return Program(service, UUID(told["clientId"]), url, key, token)


async def happened(service: Service, client_id: UUID) -> list[tuple[str, str]]:
    trail = await service.ask(
        select(AuditEvent).where(AuditEvent.subject == str(client_id)).order_by(AuditEvent.id)
    )
    return [(event.happened, event.actor) for event in trail]


# What a draft has to say.


async def test_the_code_needs_somewhere_to_go(service: Service) -> None:
    answer = await service.draft(a_draft(), api_key=SKY)
    assert pointers(answer) == [("#/postClientConfirmationRedirectUri", "redirect_needed")]


async def test_the_address_leaves_room_for_the_code(service: Service) -> None:
    body = a_draft(postClientConfirmationRedirectUri=f"{RETURN}?code=1")
    answer = await service.draft(body, api_key=SKY)
    assert pointers(answer) == [("#/postClientConfirmationRedirectUri", "code_in_query")]
    assert (await service.draft(body, api_key=FJORD)).status_code == 201


async def test_a_draft_may_ask_for_more_and_never_for_less(service: Service) -> None:
    assert (await (await program(service, api_key=FJORD, activation="redirect")).draft()).activation
    less = await (await program(service, activation=None, pairing=False)).draft()
    assert (less.activation, less.pairing) == (True, True)
    answer = await service.draft(a_draft(activation="never"))
    assert pointers(answer)[0][0] == "#/activation"


async def test_the_systems_of_old_installers_ask_for_nothing(service: Service) -> None:
    for api_key in ("sandbox", "sandbox-epj", "sandbox-edi", "sandbox-vkp"):
        answer = await service.draft(a_draft(), api_key=api_key)
        assert "activationUrl" not in answer.json()
        client_id = UUID(answer.json()["clientId"])
        decided = await service.confirm(client_id)
        assert (decided.draft.status, decided.draft.pairing) == (DraftStatus.CONFIRMED, False)
        assert activation_code(decided.draft, secret_key=service.settings.secret_key) is None


# Activating.


async def test_nothing_begins_before_the_code_comes_back(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    assert (await sky.draft()).status is DraftStatus.AWAITING_ACTIVATION
    for table in (ClientConfiguration, ClientKey, Publication):
        assert await sky.count(table) == 0

    answer = await sky.activate(code)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"clientId": str(sky.client_id), "status": "confirmed"}
    assert service.told == [(sky.client_id, 1)]
    for table in (ClientConfiguration, ClientKey, Publication):
        assert await sky.count(table) == 1
    assert await happened(service, sky.client_id) == [
        ("clientDraft.created", f"api-key:{SKY}"),
        ("clientDraft.confirmed", "person:kari"),
        ("clientDraft.activated", f"client:{sky.client_id}"),
    ]


async def test_a_lost_answer_is_given_again(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    first = await sky.activate(code)
    service.now += LATE
    again = await sky.activate(code)
    assert (again.status_code, again.content) == (200, first.content)
    assert await sky.count(ClientKey) == 1
    assert [name for name, _ in await happened(service, sky.client_id)].count(
        "clientDraft.activated"
    ) == 1


async def test_the_address_to_write_to_waits_with_the_confirmation(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    draft = await sky.draft()
    draft.contact_email = "post@legekontoret.example"
    async with service.database.sessions.begin() as db:
        await db.merge(draft)
    await sky.activate(code)
    [client] = await service.ask(
        select(ClientConfiguration).where(ClientConfiguration.client_id == sky.client_id)
    )
    assert client.contact_email == "post@legekontoret.example"


async def test_who_has_not_seen_what_he_activates_is_told_so(service: Service) -> None:
    sky = await program(service)
    before = await sky.version()
    body = {"activation": sky.proof(await sky.confirmed())}
    refused = await sky.send(body, **{"If-Match": before})
    assert problem_of(refused)["type"].endswith("/precondition-failed")
    assert (await sky.draft()).activated_at is None
    seen = {"If-Match": await sky.version()}
    for _ in range(2):  # a lost answer is given again, whatever has changed by it
        assert (await sky.send(body, **seen)).status_code == 200


@pytest.mark.parametrize("wrong", ["", "x", "é", None, 7, ["x"], "A" * 43])
async def test_another_code_begins_nothing(service: Service, wrong: Any) -> None:
    sky = await program(service)
    await sky.confirmed()
    answer = await sky.activate(wrong)
    assert pointers(answer) == [("#/activation", "wrong_code")]
    assert (await sky.draft()).status is DraftStatus.AWAITING_ACTIVATION


@pytest.mark.parametrize("code", ["x", "", None])
async def test_before_the_confirmation_no_code_is_right(service: Service, code: str | None) -> None:
    sky = await program(service)
    assert pointers(await sky.activate(code)) == [("#/activation", "wrong_code")]


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_with": ec_key()},
        {"aud": f"{BASE}/v1/client-drafts/{uuid4()}/activation"},
        {"iss": str(uuid4())},
        {"typ": "dpop+jwt"},
        {"iat": 1},
    ],
)
async def test_who_does_not_hold_the_key_begins_nothing(
    service: Service, changes: dict[str, Any]
) -> None:
    sky = await program(service)
    answer = await sky.activate(await sky.confirmed(), **changes)
    assert pointers(answer) == [("#/activation", "key_proof")]
    assert problem_of(answer)["type"].endswith("/key-proof-refused")


async def test_the_code_of_one_draft_is_none_of_another(service: Service) -> None:
    mine, other = await program(service), await program(service)
    code = await mine.confirmed()
    await other.confirmed()
    assert pointers(await other.activate(code)) == [("#/activation", "wrong_code")]


@pytest.mark.parametrize(
    "body", [{}, {"activation": 7}, {"activation": ""}, {"activation": "x", "code": "x"}, []]
)
async def test_a_body_that_is_something_else_is_refused(service: Service, body: Any) -> None:
    sky = await program(service)
    assert (await sky.send(body)).status_code == 400


async def test_an_unknown_draft_is_not_found(service: Service) -> None:
    sky = await program(service)
    sky.url = f"{BASE}/v1/client-drafts/{uuid4()}/activation"
    assert problem_of(await sky.activate("x"))["type"].endswith("/draft-not-found")


@pytest.mark.usefixtures("early_in_the_minute")
async def test_who_fails_too_often_is_stopped_and_no_one_else(service: Service) -> None:
    sky, other = await program(service), await program(service)
    code = await sky.confirmed()
    most = service.settings.failed_logins_per_minute
    failed = [(await sky.activate("x")).status_code for _ in range(most + 1)]
    assert set(failed) == {400}
    stopped = await sky.activate(code)
    assert problem_of(stopped)["type"].endswith("/too-many-requests")
    assert int(stopped.headers["retry-after"]) <= 60
    assert (await other.activate(await other.confirmed())).status_code == 200


# Too late.


async def test_a_code_that_comes_too_late_begins_nothing(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    service.now += LATE
    for _ in range(2):  # before the job has been there, and after
        answer = await sky.activate(code)
        assert problem_of(answer)["type"].endswith("/activation-lapsed")
        assert await sky.count(ClientConfiguration) == 0
        await lapse_confirmations(service.database.sessions, now=service.now)
    assert not await lapse_confirmations(service.database.sessions, now=service.now)


async def test_what_has_lapsed_can_be_confirmed_again(service: Service) -> None:
    sky = await program(service)
    first = await sky.confirmed()
    service.now += LATE - timedelta(microseconds=1)
    assert not await lapse_confirmations(service.database.sessions, now=service.now)
    service.now += timedelta(microseconds=1)
    assert await lapse_confirmations(service.database.sessions, now=service.now)
    draft = await sky.draft()
    assert (draft.status, draft.decided_at, draft.decided_by) == (DraftStatus.PENDING, None, None)
    second = await sky.confirmed()
    assert second != first
    assert pointers(await sky.activate(first)) == [("#/activation", "wrong_code")]
    assert (await sky.activate(second)).status_code == 200
    assert ("clientDraft.activationLapsed", "worker") in await happened(service, sky.client_id)


async def test_it_can_be_confirmed_again_before_the_job_has_been_there(service: Service) -> None:
    sky = await program(service)
    await sky.confirmed()
    service.now += LATE
    assert (await sky.activate(await sky.confirmed())).status_code == 200


async def test_a_declined_draft_is_not_activated(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    service.now += LATE
    async with service.database.sessions() as db:
        await decline_client_draft(
            db, KARI, sky.client_id, reason=DeclineReason.UNSURE, now=service.now
        )
    assert (await sky.activate(code)).status_code == 409


async def test_a_key_that_is_taken_meanwhile_is_told(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    other = UUID((await service.draft(a_draft(sky.key))).json()["clientId"])
    await service.confirm(other)
    assert problem_of(await sky.activate(code))["type"].endswith("/key-taken")
    assert (await sky.draft()).activated_at is None


# While Altinn is away.


async def parked(service: Service) -> Program:
    sky = await program(service)
    async with service.database.sessions() as db:
        await park_client_draft(
            db,
            KARI,
            sky.client_id,
            person=None,
            contact_email="post@legekontoret.example",
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            now=service.now,
        )
    return sky


async def verified(service: Service, after: timedelta) -> DraftStatus:
    """Altinn, which is not asked in these tests, says yes."""
    service.now += after
    state = service.app.state
    verifier = Verifier(
        service.database.sessions, state.catalogues, state.register, None, service.settings
    )
    assert await verify_one(verifier, now=service.now)
    [draft] = await service.ask(select(ClientDraft))
    status: DraftStatus = draft.status
    return status


async def test_the_program_may_be_faster_than_altinn(service: Service) -> None:
    sky = await parked(service)
    answer = await sky.activate(await sky.code())
    assert answer.json()["status"] == "verifyingRight"
    assert await sky.count(ClientConfiguration) == 0
    assert await verified(service, timedelta(hours=3)) is DraftStatus.CONFIRMED
    [client] = await service.ask(
        select(ClientConfiguration).where(ClientConfiguration.client_id == sky.client_id)
    )
    assert client.contact_email == "post@legekontoret.example"


async def test_altinn_may_be_faster_than_the_program(service: Service) -> None:
    sky = await parked(service)
    code = await sky.code()
    assert await verified(service, timedelta(seconds=30)) is DraftStatus.AWAITING_ACTIVATION
    assert (await sky.activate(code)).json()["status"] == "confirmed"
    assert await sky.count(ClientConfiguration) == 1


async def test_a_late_yes_of_altinns_replaces_no_activation(service: Service) -> None:
    sky = await parked(service)
    assert await verified(service, LATE) is DraftStatus.PENDING
    assert await sky.count(ClientConfiguration) == 0
    assert (await sky.activate(await sky.confirmed())).status_code == 200


# At once.


@pytest.mark.race
async def test_of_eight_activations_one_begins_the_client_and_all_hear_the_same(
    service: Service,
) -> None:
    sky = await program(service)
    code = await sky.confirmed()
    answers = await asyncio.gather(*(sky.activate(code) for _ in range(8)))
    assert Counter((a.status_code, a.content) for a in answers) == {(200, answers[0].content): 8}
    assert await sky.count(ClientKey) == 1
    names = [name for name, _ in await happened(service, sky.client_id)]
    assert names.count("clientDraft.activated") == 1


@pytest.mark.race
async def test_of_eight_drafts_with_one_key_one_is_activated(service: Service) -> None:
    programs = []
    key = ec_key()
    for _ in range(8):
        given = a_draft(
            key, postClientConfirmationRedirectUri=RETURN, organizationNumber=ORGANIZATION
        )
        told = (await service.draft(given, api_key=SKY)).json()
        programs.append(program_of(service, told, key))
    codes = [await each.confirmed() for each in programs]
    answers = await asyncio.gather(
        *(each.activate(code) for each, code in zip(programs, codes, strict=True))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    statuses = Counter(await service.ask(select(ClientDraft.status)))
    assert statuses == {DraftStatus.CONFIRMED: 1, DraftStatus.AWAITING_ACTIVATION: 7}


@pytest.mark.race
async def test_an_activation_and_the_end_of_its_time_decide_once(service: Service) -> None:
    sky = await program(service)
    code = await sky.confirmed()

    async def lapses() -> Any:
        return await lapse_confirmations(service.database.sessions, now=NOW + LATE)

    async def activates() -> Any:
        return (await sky.activate(code)).status_code

    found = await asyncio.gather(*(act() for act in [lapses, activates] * 4))
    confirmed = (await sky.draft()).status is DraftStatus.CONFIRMED
    assert found.count(200) == (4 if confirmed else 0)
    assert found.count(True) == (0 if confirmed else 1)
    assert await sky.count(ClientConfiguration) == int(confirmed)
