"""How long waits usually take, and that nobody is told before there are ten cases."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import OPERATOR, WORKER, Happened, record
from app.onboardings.models import UsualWait
from app.onboardings.usual import UsualWaits, count_waits
from tests.examples import NOW
from tests.serving import EDI, Service

MSH = "nhn:msh/api"


async def waited(service: Service, minutes: int) -> None:
    """One client whose scope was approved, and whose right was given, after so long."""
    client = await service.client(EDI)
    later = NOW + timedelta(minutes=minutes)
    async with service.database.sessions() as db:
        approved = Decision(
            client_id=client.client_id,
            event=AccessEvent.APPROVE,
            scope=MSH,
            actor=OPERATOR,
            at=later,
        )
        await decide_access(db, approved)
        async with db.begin():
            delegation = str(uuid4())
            for at, after in ((NOW, "missing"), (later, "active"), (later, "suspect")):
                record(
                    db,
                    Happened.DELEGATION_CHANGED,
                    actor=WORKER,
                    subject=client.client_id,
                    at=at,
                    delegation=delegation,
                    right="a-right",
                    before="unknown",
                    after=after,
                )


@pytest.mark.parametrize(("cases", "known"), [(9, False), (10, True)])
async def test_the_middle_of_ten_cases_is_told_and_of_nine_it_is_not(
    service: Service, cases: int, known: bool
) -> None:
    for number in range(cases):
        await waited(service, 10 + number)
    assert not await count_waits(service.database.sessions, now=NOW + timedelta(days=1))
    seconds = await UsualWaits(service.database.sessions).seconds()
    expected = 870 if known else None  # half way between the fifth and the sixth
    assert seconds.get(("approveScope", "nhn:msh")) == expected
    assert seconds.get(("delegateRight", "a-right")) == expected


async def test_what_is_long_ago_is_not_counted(service: Service) -> None:
    for number in range(10):
        await waited(service, 10 + number)
    for days, left in ((1, {"approveScope", "confirmClient", "delegateRight"}), (120, set())):
        await count_waits(service.database.sessions, now=NOW + timedelta(days=days))
        assert {row.step for row in await service.ask(select(UsualWait))} == left
