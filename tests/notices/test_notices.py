"""Who is told of a confirmation, how it is sent, and the link that blocks a client."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, update

from app.adapters.mail import SmtpServer
from app.audit.models import AuditEvent
from app.client_drafts.use_cases import confirm_client_draft
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.notices import use_cases
from app.notices.letters import letter_of, link_address
from app.notices.mail import Letter, MailUnavailable
from app.notices.models import Notice
from app.notices.rules import BLOCKS_WITHIN, KEPT, NoticeKind, Recipient, block_token, wait_after
from app.notices.use_cases import send_one, sweep_notices
from app.settings import MailSecurity
from tests.client_drafts.visiting import SAME_ORIGIN
from tests.notices.mail_server import Mailbox, mail_server
from tests.serving import FJORD, KARI, Service, a_draft, serving

OFFICE = "post@legekontoret.example"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
async def service(seeded_url: str, mailbox: Mailbox) -> AsyncIterator[Service]:
    async with serving(
        seeded_url,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_security=MailSecurity.NONE,
        mail_from="ikke-svar@onboarding.example",
        operator_name="Prøvedrift AS",
    ) as service:
        yield service


async def confirmed(service: Service, email: str | None = OFFICE, api_key: str = FJORD) -> UUID:
    body = a_draft(postClientConfirmationRedirectUri="http://localhost:8765/done")
    client_id = UUID((await service.draft(body, api_key=api_key)).json()["clientId"])
    async with service.database.sessions() as db:
        await confirm_client_draft(
            db,
            KARI,
            client_id,
            catalogue=await service.app.state.catalogues.in_force(),
            settings=service.settings,
            contact_email=email,
            now=service.now,
        )
    return client_id


async def notices(service: Service) -> list[Notice]:
    return await service.ask(select(Notice).order_by(Notice.id))


async def send(service: Service) -> bool:
    server = SmtpServer(service.settings)
    letters = partial(letter_of, settings=service.settings)
    return await send_one(service.database.sessions, server, letters)


async def status(service: Service, client_id: UUID) -> ClientStatus:
    [client] = await service.ask(
        select(ClientConfiguration).where(ClientConfiguration.client_id == client_id)
    )
    found: ClientStatus = client.status
    return found


# Who is told.


async def test_the_organization_and_the_supplier_are_told_of_a_confirmation(
    service: Service, mailbox: Mailbox
) -> None:
    client_id = await confirmed(service)
    assert [
        (notice.kind, notice.recipient, notice.address) for notice in await notices(service)
    ] == [
        (NoticeKind.CLIENT_CONFIRMED, Recipient.ORGANIZATION, OFFICE),
        (NoticeKind.CLIENT_CONFIRMED, Recipient.SUPPLIER, "drift@fjord.example"),
    ]
    assert [await send(service) for _ in range(3)] == [True, True, False]
    first, second = mailbox.letters
    assert (first["to"], second["to"]) == (OFFICE, "drift@fjord.example")
    assert first["subject"] == "HelseID er satt opp i Fjord EPJ for ENHET 310000019"
    assert first["from"] == "ikke-svar@onboarding.example"
    assert first["auto-submitted"] == "auto-generated"
    text = first.get_content()
    links = [link_address(notice, service.settings) for notice in await notices(service)]
    for part in (str(client_id), links[0], "vart sett opp", "was set up", "Prøvedrift AS"):
        assert part in text
    assert "sperre klienten" in text
    assert links[1] not in text
    assert KARI.name not in text
    assert all(notice.sent_at and not notice.leased_until for notice in await notices(service))


async def test_without_an_address_a_notice_is_kept(service: Service, mailbox: Mailbox) -> None:
    await confirmed(service, email=None)
    assert [await send(service) for _ in range(2)] == [True, False]
    assert [letter["to"] for letter in mailbox.letters] == ["drift@fjord.example"]
    assert (await notices(service))[0].sent_at is None


async def test_what_has_to_be_activated_is_told_to_nobody(service: Service) -> None:
    await confirmed(service, api_key="sandbox-sky")
    assert await notices(service) == []


# Sending.


async def test_a_letter_that_is_not_taken_is_sent_again_later(
    service: Service, mailbox: Mailbox
) -> None:
    await confirmed(service, email=None)
    mailbox.answer = "451 not now"
    assert await send(service)
    [_, kept] = await notices(service)
    assert (kept.attempts, kept.last_failure) == (1, "the mail server answered 451")
    assert not await send(service)
    mailbox.answer = "250 taken"
    async with service.database.sessions.begin() as db:
        await db.execute(update(Notice).values(due_at=func.clock_timestamp()))
    assert await send(service)
    [letter] = mailbox.letters
    assert letter["message-id"] == f"<notice-{kept.id}@127.0.0.1>"
    [_, sent] = await notices(service)
    assert (sent.last_failure, sent.leased_until) == (None, None)


async def test_a_server_that_says_nothing_keeps_no_letter_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a time that has run out nothing else is known."""
    await confirmed(service, email=None)
    monkeypatch.setattr(use_cases, "SENT_WITHIN", timedelta(milliseconds=20))
    letters = partial(letter_of, settings=service.settings)
    assert await send_one(service.database.sessions, Silent(), letters)
    [_, kept] = await notices(service)
    assert (kept.attempts, kept.last_failure) == (1, "no answer in time")


class Silent:
    async def send(self, letter: Letter) -> None:
        await asyncio.Event().wait()


async def test_a_server_that_is_away_is_told_of_without_an_address(service: Service) -> None:
    await confirmed(service)
    [notice, _] = await notices(service)
    away = SmtpServer(replace(service.settings, smtp_port=9))
    with pytest.raises(MailUnavailable) as failed:
        await away.send(letter_of(notice, service.settings))
    assert OFFICE not in str(failed.value)


async def test_a_letter_that_cannot_be_made_holds_up_no_other(
    service: Service, mailbox: Mailbox
) -> None:
    await confirmed(service)
    [first, _] = await notices(service)
    async with service.database.sessions.begin() as db:
        await db.execute(update(Notice).where(Notice.id == first.id).values(facts={}))
    assert [await send(service) for _ in range(3)] == [True, True, False]
    assert [letter["to"] for letter in mailbox.letters] == ["drift@fjord.example"]
    [kept, _] = await notices(service)
    assert (kept.attempts, kept.last_failure) == (1, "not sent: KeyError")
    assert (kept.leased_until, kept.sent_at) == (None, None)


def test_the_wait_grows_and_ends() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 30)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)


@pytest.mark.race
async def test_of_eight_workers_one_sends_each_letter(service: Service, mailbox: Mailbox) -> None:
    await confirmed(service)
    sent = await asyncio.gather(*(send(service) for _ in range(8)))
    assert sent.count(True) == 2
    assert len(mailbox.letters) == 2


async def test_old_notices_go_with_their_addresses(service: Service) -> None:
    await confirmed(service)
    for now, left in ((service.now + KEPT, 2), (service.now + 2 * KEPT, 0)):
        assert not await sweep_notices(service.database.sessions, now=now)
        assert len(await notices(service)) == left


# Blocking.


async def link(service: Service, recipient: int = 0) -> str:
    return link_address((await notices(service))[recipient], service.settings)


async def press(service: Service, address: str) -> httpx2.Response:
    return await service.http.post(address, data={"lang": "nb"}, headers=SAME_ORIGIN)


async def test_looking_at_the_link_blocks_nothing(service: Service) -> None:
    client_id = await confirmed(service)
    page = await service.http.get(await link(service))
    assert page.status_code == 200
    assert "Kjenner du ikke til dette?" in page.text
    assert await status(service, client_id) is ClientStatus.ACTIVE
    assert (await service.http.post(await link(service), data={})).status_code == 403
    assert await status(service, client_id) is ClientStatus.ACTIVE


@pytest.mark.parametrize("recipient", [0, 1])
async def test_whoever_was_told_blocks_the_client_at_once(service: Service, recipient: int) -> None:
    client_id = await confirmed(service)
    address = await link(service, recipient)
    for _ in range(2):
        answer = await press(service, address)
        assert "Klienten er sperret" in answer.text
        assert await status(service, client_id) is ClientStatus.BLOCKED
    [event] = await service.ask(select(AuditEvent).where(AuditEvent.happened == "client.blocked"))
    notice = (await notices(service))[recipient]
    assert event.actor == f"notice:{notice.id}"
    assert event.details == {"reason": f"by the link to the {notice.recipient}"}
    assert service.told == [(client_id, 2)]


async def test_a_link_that_was_not_given_is_nowhere(service: Service) -> None:
    client_id = await confirmed(service)
    token = (await link(service)).rsplit("/", 1)[1]
    number, _, code = token.partition("-")
    other = block_token(int(number) + 1, client_id, secret_key=service.settings.secret_key)
    for wrong in (
        "x",
        number,
        f"{number}-{'0' * 64}",
        f"{int(number) + 1}-{code}",
        block_token(int(number), uuid4(), secret_key=service.settings.secret_key),
        f"{2**63}-{code}",
        f"{'1' * 5000}-{code}",  # Python reads no number of so many digits
        f"{number}-é",
        other.replace(str(int(number) + 1), "99", 1),
    ):
        for answer in (
            await service.http.get(f"/block-client/{wrong}"),
            await press(service, f"/block-client/{wrong}"),
        ):
            assert answer.status_code == 404, wrong
    assert await status(service, client_id) is ClientStatus.ACTIVE


async def test_an_old_link_sends_to_the_operator(service: Service) -> None:
    client_id = await confirmed(service)
    address = await link(service)
    service.now += BLOCKS_WITHIN
    for answer in (await service.http.get(address), await press(service, address)):
        assert answer.status_code == 410
        assert "Lenken virker ikke lenger" in answer.text
    assert await status(service, client_id) is ClientStatus.ACTIVE
