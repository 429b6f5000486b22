"""The page of a draft: who sees it, and what is shown."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.access.models import LoginSession
from app.client_drafts.rules import DraftStatus
from app.organizations.register import Verdict
from tests.client_drafts.visiting import (
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
from tests.serving import Service


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving_pages(database_url, operator_name="Prøvedrift AS") as service:
        yield service


async def test_before_login_every_id_looks_the_same(service: Service) -> None:
    ids = [
        await drafted(service),
        await drafted(service, expires_at=NOW),
        await drafted(service, status=DraftStatus.CONFIRMED),
        uuid4(),
    ]
    async with service.browser() as browser:
        answers = [await browser.get(f"/confirm-client/{client_id}") for client_id in ids]
    assert {answer.status_code for answer in answers} == {200}
    texts = {a.text.replace(str(i), "id") for a, i in zip(answers, ids, strict=True)}
    assert len(texts) == 1
    text = texts.pop()
    assert "Prøvedrift AS" in text
    assert "Fjord" not in text


async def test_looking_without_login_leaves_no_trace(service: Service) -> None:
    client_id = await drafted(service)
    async with service.browser() as browser:
        await browser.get(f"/confirm-client/{client_id}?redirectPort=8765&redirectPath=/x")
    draft = await stored_draft(service, client_id)
    assert (draft.opened_at, draft.redirect_port) == (None, None)


async def test_a_session_opens_the_pages_of_its_own_draft_only(service: Service) -> None:
    mine, other = await drafted(service), await drafted(service)
    async with visiting(service, mine) as visitor:
        assert "Fjord EPJ" in (await visitor.open()).text
        foreign = await visitor.browser.get(f"/confirm-client/{other}")
        assert "Fjord EPJ" not in foreign.text
        token = await visitor.token()
        answer = await visitor.browser.post(
            f"/confirm-client/{other}/decision",
            data={"action": "confirm", "formToken": token},
            headers=SAME_ORIGIN,
        )
    assert "Logg inn" in answer.text
    assert await status_of(service, other) is DraftStatus.PENDING


async def test_a_session_that_has_ended_opens_nothing(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        async with service.database.sessions() as db, db.begin():
            await db.execute(update(LoginSession).values(expires_at=NOW - timedelta(days=900)))
        assert "Fjord EPJ" not in (await visitor.open()).text


async def test_after_login_an_unknown_id_is_told_of_by_a_page(service: Service) -> None:
    async with visiting(service, uuid4()) as visitor:
        answer = await visitor.open()
    assert answer.status_code == 404
    assert "Vi finner ikke forespørselen" in answer.text


@pytest.mark.parametrize("path", ["/confirm-client/x", "/confirm-client/x/decline"])
async def test_an_address_that_cannot_be_one_is_told_of_by_a_page(
    service: Service, path: str
) -> None:
    async with service.browser() as browser:
        answer = await browser.get(path, headers={"Accept-Language": "en-GB,nb;q=0.5"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such page" in answer.text


async def test_every_page_keeps_to_itself(service: Service) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        answers = [
            await visitor.open(),
            await visitor.open("/decline"),
            await visitor.browser.get(f"/confirm-client/{uuid4()}"),
            await visitor.browser.get("/confirm-client/x"),
            await visitor.browser.get("/login"),
            await visitor.decide("confirm", headers={}),
            await visitor.decide("confirm"),
        ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_others_have_written_is_shown_as_text(service: Service) -> None:
    hostile = '"><script>alert(1)</script>'
    client_id = await drafted(service, external_ref=hostile, redirect_uris=[hostile])
    await renamed(service, name=hostile)
    async with visiting(service, client_id) as visitor:
        text = (await visitor.open()).text
    assert "<script" not in text
    assert text.count("&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


async def test_the_time_left_is_told_in_norwegian_time(service: Service) -> None:
    async with visiting(service, await drafted(service)) as visitor:
        assert "23. november 2026 kl. 13.00 (norsk tid)" in (await visitor.open()).text
        assert "23 November 2026 at 13:00" in (await visitor.open("?lang=en")).text


async def test_a_scope_says_whether_its_owner_has_to_approve(service: Service) -> None:
    client_id = await drafted(
        service, api_scopes=["nhn:selvbetjening/client", "nhn:msh/api", "nhn:msh/open"]
    )
    async with visiting(service, client_id) as visitor:
        text = (await visitor.open()).text
    assert text.count("Må godkjennes av NHN") == 1
    assert text.count("Klar når du bekrefter") == 2


async def test_the_first_opening_after_login_keeps_the_old_links_address(
    service: Service,
) -> None:
    client_id = await drafted(service, post_client_confirmation_redirect_uri=None)
    async with visiting(service, client_id, redirect=(8765, "/callback")) as visitor:
        await visitor.open()
        await visitor.open("?redirectPort=6666&redirectPath=/elsewhere")
        answer = await visitor.decide()
    assert answer.headers["location"] == "http://localhost:8765/callback?status=Success"


async def test_what_the_catalogue_no_longer_has_cannot_be_confirmed(service: Service) -> None:
    client_id = await drafted(service, api_scopes=["nhn:gone/scope"])
    async with visiting(service, client_id) as visitor:
        answer = await visitor.open()
    assert "tilbys ikke lenger" in answer.text
    assert f"{RETURN}?status=Error" in answer.text


@pytest.mark.parametrize("verdict", [Verdict.DELETED, Verdict.BANKRUPT, Verdict.SUB_UNIT])
async def test_an_organization_that_has_ended_meanwhile_cannot_get_a_client(
    service: Service, verdict: Verdict
) -> None:
    client_id = await drafted(service)
    async with visiting(service, client_id) as visitor:
        token = await visitor.token()
        await renamed(service, verdict=verdict)
        for answer in (await visitor.open(), await visitor.decide(formToken=token)):
            assert "Enhetsregisteret sier at virksomheten er slettet" in answer.text
            assert f"{RETURN}?status=Error" in answer.text
    assert await status_of(service, client_id) is DraftStatus.PENDING


async def test_a_yes_for_a_number_that_nobody_could_look_up_is_parked(service: Service) -> None:
    client_id = await drafted(service, organization_number="310000027")
    async with visiting(service, client_id) as visitor:
        assert "Enhetsregisteret svarer ikke" in (await visitor.open()).text
        answer = await visitor.decide()
        assert answer.headers["location"] == f"{RETURN}?status=Pending"
        assert await status_of(service, client_id) is DraftStatus.VERIFYING_RIGHT
        assert service.told == []
        later = (await visitor.open()).text
    assert "Du trenger ikke gjøre mer" in later
    assert f"{RETURN}?status=Pending" in later


async def test_a_no_for_a_number_that_nobody_could_look_up_is_a_no(service: Service) -> None:
    client_id = await drafted(service, organization_number="310000027")
    async with visiting(service, client_id) as visitor:
        assert (await visitor.decide("decline")).status_code == 303
    assert await status_of(service, client_id) is DraftStatus.DECLINED
