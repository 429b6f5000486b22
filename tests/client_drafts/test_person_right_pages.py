"""What a person meets who may, may not, or of whom nobody can say: the page and its forms."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from app.access.person_rights import Held, RepresentedOrganization
from app.apis.catalogue import PersonRight, Texts
from app.apis.models import CatalogueVersion
from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.client_drafts.models import ClientDraft, ParkedDecision
from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit
from app.clients.models import ClientConfiguration
from tests.client_drafts.rights import PERSON, ToldRights
from tests.client_drafts.visiting import (
    NAME,
    RETURN,
    SAME_ORIGIN,
    Visitor,
    a_draft,
    serving_pages,
    stored_draft,
    visiting,
)
from tests.examples import NOW, ORGANIZATION
from tests.publications.examples import WITH_SYSTEM
from tests.serving import BASE, Service

RIGHT = PersonRight(
    resource_id="the-right",
    title=Texts(nb="Ta i bruk HelseID", nn="Ta i bruk HelseID her", en="Take HelseID into use"),
)
NO_RIGHT = "Du kan ikke bekrefte for virksomheten"


@pytest.fixture
async def rights() -> ToldRights:
    return ToldRights()


@pytest.fixture
async def service(database_url: str, rights: ToldRights) -> AsyncIterator[Service]:
    async with serving_pages(database_url) as service:
        with_right = replace(WITH_SYSTEM, person_right=RIGHT)
        await service.add(CatalogueVersion(content=with_right, applied_at=NOW))
        service.app.state.person_rights = rights
        yield service


@pytest.fixture
async def client_id(service: Service) -> UUID:
    draft = a_draft()
    await service.add(draft)
    return draft.client_id


@pytest.fixture
async def visitor(service: Service, client_id: UUID) -> AsyncIterator[Visitor]:
    async with visiting(service, client_id, person=PERSON) as visitor:
        yield visitor


async def test_a_person_with_the_right_confirms_and_is_asked_about_each_time(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    token = await visitor.token()
    answer = await visitor.decide(formToken=token)
    assert answer.headers["location"] == f"{RETURN}?status=Success"
    assert len(rights.asked) == 2
    question = rights.asked[-1]
    assert (question.person, question.security_level) == (PERSON, 4)
    assert (question.organization_number, question.resource_id, question.action) == (
        ORGANIZATION,
        "the-right",
        "access",
    )


async def test_without_the_right_a_page_says_who_can_help_and_nothing_of_the_rest(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    rights.answer = Held.NO
    rights.others = [RepresentedOrganization("310000027", "EN ANNEN AS")]
    for below in ("", "/decline"):
        text = (await visitor.open(below)).text
        assert NO_RIGHT in text
        for said in ("FJORDBYEN LEGESENTER AS", "Fjord", "tilgangsstyring", "Ta i bruk HelseID"):
            assert said in text
        assert "EN ANNEN AS" in text
        assert f'href="{RETURN}?status=Rejected"' in text
        draft = await stored_draft(service, visitor.client_id)
        for hidden in ("nhn:selvbetjening/client", draft.public_key.thumbprint, "Bekreft</button>"):
            assert hidden not in text
        assert 'name="action"' not in text
    assert await status_of(service, visitor.client_id) is DraftStatus.PENDING


@pytest.mark.parametrize("action", ["confirm", "decline"])
async def test_who_has_lost_the_right_meanwhile_decides_nothing(
    service: Service, visitor: Visitor, rights: ToldRights, action: str
) -> None:
    token = await visitor.token()
    rights.answer = Held.NO
    answer = await visitor.decide(action, formToken=token)
    assert answer.status_code == 403
    assert NO_RIGHT in answer.text
    assert await status_of(service, visitor.client_id) is DraftStatus.PENDING
    assert service.told == []


async def test_a_right_that_wants_a_stronger_login_leads_to_one(
    visitor: Visitor, rights: ToldRights
) -> None:
    rights.answer = Held.WEAK_LOGIN
    assert "høyere sikkerhetsnivå" in (await visitor.open()).text


async def test_a_session_without_the_persons_number_logs_in_anew(
    service: Service, client_id: UUID, rights: ToldRights
) -> None:
    async with visiting(service, client_id) as visitor:
        assert "Logg inn for å fortsette" in (await visitor.open()).text
    assert rights.asked == []


async def test_when_altinn_is_away_a_yes_is_parked_and_the_page_says_so_before(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    rights.answer = None
    assert "Altinn svarer ikke akkurat nå" in (await visitor.open()).text
    answer = await visitor.decide(contactEmail="post@legekontoret.example")
    assert answer.headers["location"] == f"{RETURN}?status=Pending"
    assert await status_of(service, visitor.client_id) is DraftStatus.VERIFYING_RIGHT
    assert service.told == []
    later = await visitor.open()
    assert "Svaret er tatt imot" in later.text
    assert f"{RETURN}?status=Pending" in later.text
    async with service.database.sessions() as db:
        kept = (await db.scalars(select(ParkedDecision))).one()
        assert (await db.scalars(select(ClientConfiguration))).all() == []
    assert kept.contact_email == "post@legekontoret.example"
    # A second tab's yes finds it decided.
    again = await visitor.send({"action": "confirm", "formToken": "x"})
    assert again.headers["location"] == f"{RETURN}?status=Pending"


async def test_when_altinn_is_away_a_person_can_leave_but_not_decline(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    token = await visitor.token()
    rights.answer = None
    for answer, status in (
        (await visitor.open("/decline"), 200),
        (await visitor.decide("decline", formToken=token), 403),
    ):
        assert answer.status_code == status
        assert "Du kan ikke avvise akkurat nå" in answer.text
        assert f'href="{RETURN}?status=Rejected"' in answer.text
        assert 'name="action"' not in answer.text
    shared = (await visitor.open("/decline?shared=1")).text
    assert RETURN not in shared
    assert f'href="{visitor.page}?shared=1&amp;lang=nb"' in shared
    assert await status_of(service, visitor.client_id) is DraftStatus.PENDING
    # Altinn is back, and says that the person may.
    rights.answer = Held.YES
    answer = await visitor.decide("decline")
    assert answer.headers["location"] == f"{RETURN}?status=Cancelled"


@pytest.mark.parametrize(
    ("reason", "title", "word"),
    [
        (DeclineReason.NO_RIGHT, "Oppsettet ble ikke gjennomført", "Rejected"),
        (DeclineReason.NOT_VERIFIED, "Oppsettet ble ikke gjennomført", "Error"),
        (DeclineReason.KEY_TAKEN, "Oppsettet kan ikke bekreftes", "Error"),
        (DeclineReason.ORGANIZATION_REFUSED, "Oppsettet kan ikke bekreftes", "Error"),
        (DeclineReason.NO_LONGER_OFFERED, "Oppsettet kan ikke bekreftes", "Error"),
        (DeclineReason.UNSURE, "Oppsettet er avvist", "Cancelled"),
    ],
)
async def test_what_became_of_a_parked_decision_is_told_in_its_own_words(
    service: Service, reason: DeclineReason, title: str, word: str
) -> None:
    draft = a_draft(status=DraftStatus.DECLINED, decline_reason=reason)
    await service.add(draft)
    async with visiting(service, draft.client_id, person=PERSON) as visitor:
        text = (await visitor.open()).text
    assert f"<title>{title}" in text
    assert f'href="{RETURN}?status={word}"' in text


async def test_a_person_cannot_give_our_reasons_for_a_no(
    service: Service, visitor: Visitor
) -> None:
    assert (await visitor.decide("decline", reason="noRight")).status_code == 422


async def test_how_people_get_on_is_noted_for_who_waits(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    async def noted() -> tuple[LastVisit | None, int]:
        async with service.database.sessions() as db:
            draft = await db.get_one(ClientDraft, visitor.client_id)
            changes = await db.get(ClientChanges, visitor.client_id)
        return draft.last_visit, changes.counter if changes else 0

    assert await noted() == (None, 0)
    await visitor.open()
    assert await noted() == (LastVisit.OPENED, 1)
    rights.answer = Held.NO
    await visitor.open()
    await visitor.open()
    assert await noted() == (LastVisit.LACKS_RIGHT, 2)
    await passed_on(visitor)
    await visitor.open()  # who has passed it on and looks again still waits
    assert await noted() == (LastVisit.PASSED_ON, 3)
    rights.answer = Held.YES
    await visitor.open()
    assert await noted() == (LastVisit.OPENED, 4)


# Passing it on.


async def test_passing_on_gives_a_text_in_each_language_and_more_time(
    service: Service, visitor: Visitor, rights: ToldRights
) -> None:
    rights.answer = Held.NO
    assert "<textarea" not in (await visitor.open()).text
    answer = await passed_on(visitor)
    assert answer.headers["location"] == f"{visitor.page}?lang=nb"
    draft = await stored_draft(service, visitor.client_id)
    assert (draft.status, draft.escalated_at) == (DraftStatus.PENDING, NOW)
    assert draft.expires_at == NOW + timedelta(days=7)
    text = (await visitor.open()).text
    texts = [unescape(found) for found in re.findall(r"<textarea[^>]*>([^<]*)</textarea>", text)]
    assert [said.split()[0] for said in texts] == ["Hei!", "Hei!", "Hi!"]
    for language, said in zip(("nb", "nn", "en"), texts, strict=True):
        assert f"{BASE}{visitor.page}?shared=1&lang={language}" in said
        assert "FJORDBYEN LEGESENTER AS" in said
        assert getattr(RIGHT.title, language) in said
        assert NAME not in said
    mails = [unescape(found) for found in re.findall(r'href="(mailto:[^"]*)"', text)]
    for mail, said in zip(mails, texts, strict=True):
        fields = parse_qs(urlsplit(mail).query)
        assert fields["body"] == [said.replace("\n", "\r\n")]
        assert "FJORDBYEN LEGESENTER AS" in fields["subject"][0]
        assert "\n" not in unquote(fields["subject"][0])


async def test_who_may_decide_passes_nothing_on(service: Service, visitor: Visitor) -> None:
    fields = {"formToken": await visitor.token(), "lang": "nb"}
    await visitor.browser.post(f"{visitor.page}/pass-on", data=fields, headers=SAME_ORIGIN)
    assert (await stored_draft(service, visitor.client_id)).escalated_at is None


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [("x", SAME_ORIGIN, 303), (None, {"Sec-Fetch-Site": "cross-site"}, 403)],
)
async def test_only_the_pages_own_form_passes_on(
    service: Service,
    visitor: Visitor,
    rights: ToldRights,
    token: str | None,
    headers: dict[str, str],
    status: int,
) -> None:
    rights.answer = Held.NO
    fields = {"formToken": token or await visitor.token()}
    answer = await visitor.browser.post(f"{visitor.page}/pass-on", data=fields, headers=headers)
    assert answer.status_code == status
    assert (await stored_draft(service, visitor.client_id)).escalated_at is None


async def passed_on(visitor: Visitor) -> httpx2.Response:
    fields = {"formToken": await visitor.token(), "lang": "nb"}
    return await visitor.browser.post(f"{visitor.page}/pass-on", data=fields, headers=SAME_ORIGIN)


# The shared link.


async def test_a_shared_link_asks_for_the_code_and_never_leads_to_this_machine(
    service: Service, visitor: Visitor
) -> None:
    page = (await visitor.open("?shared=1")).text
    found = re.search(r'name="formToken" value="([0-9a-f]+)"', page)
    assert found
    assert "Koden du har fått" in page
    assert RETURN not in page
    yes = {"action": "confirm", "formToken": found[1], "shared": "1", "lang": "nb"}
    assert (await visitor.send(yes)).status_code == 422
    # Without the word it is another page, which has not been seen.
    unshared = {name: value for name, value in yes.items() if name != "shared"}
    assert (await visitor.send(unshared)).status_code == 409
    code = re.search(r'class="code">([^<]+)<', (await visitor.open()).text)
    assert code
    answer = await visitor.send({**yes, "pairingCode": code[1]})
    assert answer.headers["location"] == f"{visitor.page}?shared=1&lang=nb"
    after = (await visitor.open("?shared=1")).text
    assert "Oppsettet er bekreftet" in after
    assert RETURN not in after
    assert f"{RETURN}?status=Success" in (await visitor.open()).text


async def test_a_shared_link_keeps_no_old_redirect(service: Service) -> None:
    draft = a_draft(post_client_confirmation_redirect_uri=None)
    await service.add(draft)
    async with visiting(service, draft.client_id, person=PERSON) as visitor:
        await visitor.open("?shared=1&redirectPort=8765&redirectPath=/x")
    assert (await stored_draft(service, draft.client_id)).redirect_port is None


async def test_a_shared_link_stays_one_through_the_login_page(
    service: Service, client_id: UUID
) -> None:
    async with service.browser() as browser:
        page = await browser.get(f"/confirm-client/{client_id}?shared=1")
    assert 'name="shared" value="1"' in page.text
    assert f'href="/confirm-client/{client_id}?shared=1&amp;lang=nn"' in page.text


async def test_the_persons_number_is_on_no_page_and_in_no_trail(
    service: Service, visitor: Visitor, rights: ToldRights, capfd: pytest.CaptureFixture[str]
) -> None:
    for held in (Held.NO, None, Held.YES):
        rights.answer = held
        assert PERSON.digits not in (await visitor.open()).text
    await visitor.decide()
    async with service.database.sessions() as db:
        events = (await db.scalars(select(AuditEvent))).all()
    assert events
    assert all(PERSON.digits not in repr(vars(event)) for event in events)
    assert PERSON.digits not in "".join(capfd.readouterr())


async def test_without_an_altinn_anybody_who_logs_in_may_confirm(
    service: Service, client_id: UUID
) -> None:
    service.app.state.person_rights = None
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide()
    assert answer.headers["location"] == f"{RETURN}?status=Success"


async def status_of(service: Service, client_id: UUID) -> DraftStatus:
    return (await stored_draft(service, client_id)).status
