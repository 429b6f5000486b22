"""The persons of the sandbox press what they would press at the page, and get no further."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access.person_rights import Held
from app.changes.listener import ClientEvents
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus, LastVisit
from app.main import real_time
from app.publications.queries import DONE_CHANNEL
from app.sandbox.people import KARI, People
from app.sandbox_service.persons import Persons
from tests.client_drafts.rights import ToldRights
from tests.serving import Service, a_draft


@pytest.mark.parametrize(
    ("held", "person", "decision", "told", "becomes"),
    [
        (Held.YES, KARI.name, "approve", "Success", DraftStatus.CONFIRMED),
        (Held.YES, KARI.name, "reject", "Cancelled", DraftStatus.DECLINED),
        (Held.NO, KARI.name, "approve", "Rejected", DraftStatus.PENDING),
        (Held.NO, KARI.name, "reject", "Rejected", DraftStatus.PENDING),
        (Held.YES, "Somebody Else", "approve", "Rejected", DraftStatus.PENDING),
        (None, KARI.name, "approve", "Pending", DraftStatus.VERIFYING_RIGHT),
        (None, KARI.name, "reject", "Rejected", DraftStatus.PENDING),
    ],
)
async def test_the_control_gives_a_person_no_right_that_the_page_would_not(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    held: Held | None,
    person: str,
    decision: str,
    told: str,
    becomes: DraftStatus,
) -> None:
    monkeypatch.setattr("app.main.ISSUER_KNOWS_WITHIN", timedelta(milliseconds=50))
    service.now = real_time()
    answer = await service.draft(a_draft())
    client_id = UUID(answer.json()["clientId"])
    rights = ToldRights(held)
    async with ClientEvents(service.settings.database_url, [DONE_CHANNEL]) as events:
        persons = Persons(service.database, service.settings, events, rights, real_time, People())
        decided = await persons.decide(client_id, decision, person)
    assert decided.status == told
    assert await service.ask(select(ClientDraft.status)) == [becomes]
    noted = LastVisit.LACKS_RIGHT if told == "Rejected" and held is not None else None
    assert await service.ask(select(ClientDraft.last_visit)) == [noted]
    assert all(question.person.digits == KARI.pid for question in rights.asked)
