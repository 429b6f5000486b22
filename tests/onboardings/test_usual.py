"""How long waits usually take: in whole seconds, and to nobody before there are ten cases."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import OPERATOR, WORKER
from app.delegations.answers import Standing
from app.delegations.asking import state_changed
from app.delegations.models import Delegation
from app.delegations.rules import State
from app.onboardings.models import UsualWait
from app.onboardings.usual import LEAST_CASES, UsualWaits, count_waits
from tests.examples import NOW
from tests.onboardings.wizards import a_wizard
from tests.serving import CLIENT_SCOPE, EDI, Client, Service

MSH = "nhn:msh/api"
RIGHT = "nhn-helseid-databehandler"
CLAIMS_WAIT = "310000094"  # its claims do, also in a test environment


async def waited(service: Service, minutes: int) -> None:
    """One client that somebody confirmed, whose scope and claim an owner approved, and whose right
    was given, each so long after it was first waited for."""
    service.now = NOW
    wizard = await a_wizard(
        service,
        EDI,
        organizationNumber=CLAIMS_WAIT,
        apiScopes=[CLIENT_SCOPE, MSH],
        audienceSpecificClientClaims=[{"key": "herid", "value": "0"}],
    )
    service.now = NOW + timedelta(minutes=minutes)
    await wizard.confirm()
    client = Client(service, UUID(wizard.client_id), wizard.key)
    asked = {"audienceSpecificClientClaims": [{"key": "herid", "value": "123-456"}]}
    answer = await client.put({"apiScopes": [CLIENT_SCOPE, MSH]} | asked)
    assert answer.status_code == 204, answer.text
    await right_is(client, State.MISSING, service.now)
    later = service.now + timedelta(minutes=minutes)
    await approved(client, later)
    for state in (State.ACTIVE, State.SUSPECT, State.ACTIVE):
        await right_is(client, state, later)
    service.now = NOW


async def approved(client: Client, at: datetime) -> None:
    for scope, claim_type in ((MSH, None), (None, "herid")):
        async with client.service.database.sessions() as db:
            decision = Decision(
                client_id=client.client_id,
                event=AccessEvent.APPROVE,
                scope=scope,
                claim_type=claim_type,
                actor=OPERATOR,
                at=at,
            )
            await decide_access(db, decision)


async def right_is(client: Client, state: State, at: datetime) -> None:
    async with client.service.database.sessions.begin() as db:
        of_client = select(Delegation).where(Delegation.client_id == client.client_id)
        [delegation] = (await db.scalars(of_client)).all()
        await state_changed(db, delegation, Standing(state=state, since=at), actor=WORKER, now=at)


async def counted(service: Service) -> dict[tuple[str, str], int]:
    assert not await count_waits(service.database.sessions, now=NOW + timedelta(days=1))
    return dict(await UsualWaits(service.database.sessions).seconds())


async def test_the_middle_of_ten_cases_is_told_and_of_nine_it_is_not(service: Service) -> None:
    for number in range(LEAST_CASES - 1):
        await waited(service, 10 + number)
    assert await counted(service) == {}
    await waited(service, 10 + LEAST_CASES - 1)
    middle = 870  # seconds: half way between 14 and 15 minutes, the fifth and the sixth case
    assert await counted(service) == {
        ("confirmClient", ""): middle,
        ("approveScope", "nhn:msh"): middle,
        ("approveClaim", "herid"): middle,
        ("delegateRight", RIGHT): middle,
    }
    assert {row.cases for row in await service.ask(select(UsualWait))} == {LEAST_CASES}

    later = NOW + timedelta(days=120)
    assert not await count_waits(service.database.sessions, now=later)
    assert await service.ask(select(UsualWait)) == []  # what is long ago is not counted


@pytest.mark.parametrize("seconds", [0, 870])
async def test_open_steps_tell_it_and_those_that_are_done_do_not(
    service: Service, seconds: int
) -> None:
    about = {"confirmClient": "", "approveScope": "nhn:msh", "delegateRight": RIGHT}
    await service.add(
        *(
            UsualWait(step=step, subject=subject, seconds=seconds, cases=LEAST_CASES)
            for step, subject in about.items()
        )
    )
    wizard = await a_wizard(service, EDI)

    async def told() -> dict[str, int | None]:
        steps = (await wizard.onboarding())["steps"]
        return {step["code"]: step["usuallyTakes"] for step in steps}

    assert await told() == dict.fromkeys(about, seconds) | {"publishClient": None}
    await wizard.confirm()
    after = await told()
    assert after["confirmClient"] is None
    assert (after["delegateRight"], after["publishClient"]) == (seconds, None)
