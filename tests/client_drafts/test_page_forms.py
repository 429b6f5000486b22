"""The forms of a draft's page: which of them decide anything, and what comes after."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from app.apis.catalogue import ClientSystem
from app.apis.models import CatalogueVersion
from app.audit.models import AuditEvent
from app.client_drafts.limits import MOST_TYPED_CODES_OF_ONE_ADDRESS
from app.client_drafts.pairing import pairing_code
from app.client_drafts.rules import DeclineReason, DraftStatus
from app.clients.models import ClientConfiguration
from tests.client_drafts.visiting import (
    NAME,
    RETURN,
    SAME_ORIGIN,
    drafted,
    renamed,
    serving_pages,
    status_of,
    stored_draft,
    visiting,
)
from tests.examples import NOW
from tests.publications.examples import SYSTEM, WITH_SYSTEM
from tests.serving import BASE, Service

CHANGED = "Siden er vist på nytt"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving_pages(database_url, operator_name="Prøvedrift AS") as service:
        yield service


async def test_a_confirmation_is_kept_told_to_the_issuer_and_answered(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide(contactEmail=" post@legekontoret.example ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{RETURN}?status=Success")
    assert [told[0] for told in service.told] == [client_id]
    async with service.database.sessions() as db:
        client = await db.get_one(ClientConfiguration, client_id)
        events = (await db.scalars(select(AuditEvent).order_by(AuditEvent.id))).all()
    assert client.contact_email == "post@legekontoret.example"
    assert [event.happened for event in events] == ["person.loggedIn", "clientDraft.confirmed"]
    assert {event.actor for event in events} == {events[0].actor}
    assert events[0].actor.startswith("person:")
    assert all(NAME not in repr(vars(event)) for event in events)


async def test_a_no_is_kept_with_its_reason(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide("decline", reason="notOrdered")
    assert answer.headers["location"] == f"{RETURN}?status=Cancelled"
    draft = await stored_draft(service, client_id)
    assert draft.status is DraftStatus.DECLINED
    assert draft.decline_reason is DeclineReason.NOT_ORDERED


async def test_a_no_without_a_reason_is_asked_for_one(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        for reason in ("", "because"):
            answer = await visitor.decide("decline", reason=reason)
            assert answer.status_code == 422
            assert "Velg en grunn." in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING


@pytest.mark.parametrize(
    "email",
    ["post", "post@", "@legekontoret.no", "a b@c.no", "a@b@c.no", "a@b", "a\x00@b.no", "x" * 300],
)
async def test_what_cannot_be_an_address_comes_back_to_be_corrected(
    service: Service, email: str
) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide(contactEmail=email)
    assert answer.status_code == 422
    assert "Skriv en e-postadresse" in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{BASE}.evil.example"},
        {},
    ],
)
async def test_a_form_that_another_page_sends_is_refused(
    service: Service, headers: dict[str, str]
) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide(headers=headers)
        assert answer.status_code == 403
        login = await visitor.browser.post(
            "/login", data={"clientId": str(client_id)}, headers=headers
        )
        assert login.status_code == 403
    assert await status_of(service, client_id) is DraftStatus.PENDING


@pytest.mark.parametrize("origin", [BASE, "http://localhost:8080"])
async def test_a_browser_without_fetch_metadata_is_known_by_its_origin(
    service: Service, origin: str
) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide(headers={"Origin": origin})
    assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "æ"])
async def test_a_form_without_its_token_decides_nothing(service: Service, token: str) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.decide(formToken=token)
    assert answer.status_code == 409
    assert CHANGED in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING


async def test_a_token_is_of_no_use_in_another_session(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as one, visiting(service, client_id) as other:
        answer = await other.decide(formToken=await one.token())
    assert answer.status_code == 409
    assert await status_of(service, client_id) is DraftStatus.PENDING


async def test_a_person_never_confirms_what_was_not_shown(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        token = await visitor.token()
        await renamed(service, name="EN ANNEN AS")
        answer = await visitor.decide(formToken=token)
        assert answer.status_code == 409
        assert CHANGED in answer.text
        assert "EN ANNEN AS" in answer.text
        assert await status_of(service, client_id) is DraftStatus.PENDING
        assert (await visitor.decide()).status_code == 303


@pytest.mark.parametrize(
    ("more", "notice"),
    [
        ({"logged_in": timedelta(minutes=11)}, "mer enn ti minutter siden"),
        ({"level": 3}, "høyere sikkerhetsnivå"),
        ({"level": 0}, "høyere sikkerhetsnivå"),
    ],
)
async def test_a_decision_needs_a_fresh_and_strong_login(
    service: Service, more: dict[str, Any], notice: str
) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id, redirect=(8765, "/a"), **more) as visitor:
        for action in ("confirm", "decline"):
            answer = await visitor.decide(action)
            assert notice in answer.text
            assert 'name="redirectPort" value="8765"' in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING


async def test_a_login_is_fresh_for_ten_minutes(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id, logged_in=timedelta(minutes=9)) as visitor:
        assert (await visitor.decide()).status_code == 303


@pytest.mark.parametrize("system", [SYSTEM, replace(SYSTEM, pairing=True)])
@pytest.mark.parametrize("pairing", [False, True])
async def test_draft_and_system_may_both_ask_for_the_typed_code(
    service: Service, system: ClientSystem, pairing: bool
) -> None:
    client_id = await drafted(service, pairing=pairing)
    catalogue = replace(WITH_SYSTEM, client_systems=[system])
    await service.add(CatalogueVersion(content=catalogue, applied_at=NOW))
    draft = await stored_draft(service, client_id)
    code = pairing_code(
        client_id, draft.public_key.thumbprint, secret_key=service.settings.secret_key
    )
    is_typed = pairing or system.pairing
    async with visiting(service, client_id) as visitor:
        assert (code in (await visitor.open()).text) is not is_typed
        for wrong in ("", "BBBB-BBBB"):
            if is_typed:
                assert (await visitor.decide(pairingCode=wrong)).status_code == 422
        assert await status_of(service, client_id) is DraftStatus.PENDING
        assert (await visitor.decide(pairingCode=code.lower())).status_code == 303


@pytest.mark.parametrize("body", [b"", b"action=burn", b"\xff", b"a=1&" * 30])
async def test_a_form_that_says_nothing_is_refused_by_a_page(service: Service, body: bytes) -> None:
    client_id = await drafted(service)
    form = {"Content-Type": "application/x-www-form-urlencoded", **SAME_ORIGIN}
    async with visiting(service, client_id) as visitor:
        answer = await visitor.browser.post(f"{visitor.page}/decision", content=body, headers=form)
    assert answer.status_code == 400
    assert "Forespørselen kan ikke leses" in answer.text


async def test_get_decides_nothing(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        token = await visitor.token()
        answer = await visitor.open(f"/decision?action=confirm&formToken={token}")
    assert answer.headers["location"] == f"/confirm-client/{client_id}?lang=nb"
    assert await status_of(service, client_id) is DraftStatus.PENDING


@pytest.mark.parametrize(
    ("status", "action", "location"),
    [
        (DraftStatus.CONFIRMED, "confirm", f"{RETURN}?status=Success"),
        (DraftStatus.CONFIRMED, "decline", None),
        (DraftStatus.DECLINED, "decline", f"{RETURN}?status=Cancelled"),
        (DraftStatus.DECLINED, "confirm", None),
        (DraftStatus.EXPIRED, "confirm", None),
    ],
)
async def test_a_decision_that_comes_too_late_is_sent_to_what_is_so(
    service: Service, status: DraftStatus, action: str, location: str | None
) -> None:
    client_id = await drafted(service, status=status)
    async with visiting(service, client_id) as visitor:
        answer = await visitor.send({"action": action, "reason": "unsure", "lang": "nn"})
    assert answer.status_code == 303
    assert answer.headers["location"] == (location or f"/confirm-client/{client_id}?lang=nn")
    assert await status_of(service, client_id) is status


@pytest.mark.parametrize(
    ("more", "title", "word"),
    [
        ({"status": DraftStatus.CONFIRMED}, "Oppsettet er bekreftet", "Success"),
        ({"status": DraftStatus.DECLINED}, "Oppsettet er avvist", "Cancelled"),
        ({"status": DraftStatus.EXPIRED}, "Forespørselen har løpt ut", "Expired"),
        ({"expires_at": NOW}, "Forespørselen har løpt ut", "Expired"),
    ],
)
async def test_the_link_opened_later_says_what_is_so(
    service: Service, more: dict[str, Any], title: str, word: str
) -> None:
    async with visiting(service, await drafted(service, **more)) as visitor:
        for below in ("", "/decline"):
            answer = await visitor.open(below)
            assert answer.status_code == 200
            assert f"<title>{title}" in answer.text
            assert f'href="{RETURN}?status={word}"' in answer.text


@pytest.mark.race
async def test_people_who_press_at_once_make_one_client(service: Service) -> None:
    client_id = await drafted(service)

    async def press(subject: str, action: str) -> httpx2.Response:
        async with visiting(service, client_id, subject=subject) as visitor:
            return await visitor.decide(action)

    pressed = [press(str(n), "decline" if n % 4 == 3 else "confirm") for n in range(8)]
    answers = await asyncio.gather(*pressed)
    assert {answer.status_code for answer in answers} == {303}
    async with service.database.sessions() as db:
        clients = await db.scalar(select(func.count()).select_from(ClientConfiguration))
        decisions = await db.scalar(
            select(func.count())
            .select_from(AuditEvent)
            .where(AuditEvent.happened.in_(["clientDraft.confirmed", "clientDraft.declined"]))
        )
    confirmed = await status_of(service, client_id) is DraftStatus.CONFIRMED
    assert (clients, decisions) == (int(confirmed), 1)
    places = {answer.headers["location"] for answer in answers}
    said = f"{RETURN}?status={'Success' if confirmed else 'Cancelled'}"
    assert places <= {said, f"/confirm-client/{client_id}?lang=nb"}


@pytest.mark.race
async def test_a_code_is_not_found_by_trying_it_many_times_at_once(service: Service) -> None:
    client_id = await drafted(service, pairing=True)
    draft = await stored_draft(service, client_id)
    code = pairing_code(
        client_id, draft.public_key.thumbprint, secret_key=service.settings.secret_key
    )
    async with visiting(service, client_id) as visitor:
        token = await visitor.token()
        tries = (
            visitor.decide(pairingCode="BBBB-BBBB", formToken=token)
            for _ in range(MOST_TYPED_CODES_OF_ONE_ADDRESS + 6)
        )
        pages = [answer.text for answer in await asyncio.gather(*tries)]
        assert sum("er skrevet inn for mange ganger" in page for page in pages) == 6
        right = await visitor.decide(pairingCode=code, formToken=token)
    assert right.status_code == 422
    assert await status_of(service, client_id) is DraftStatus.PENDING
