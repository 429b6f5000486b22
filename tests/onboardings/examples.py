"""Drafts, clients and what surrounds them, and the steps that come of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.apis.catalogue import ClientSystem
from app.apis.catalogue import SystemScope as Asks
from app.client_drafts.rules import DraftStatus
from app.onboardings.facts import Around, ClientSeen, DraftSeen, Facts
from app.onboardings.rules import Step, StepCode
from app.onboardings.steps import steps_of
from app.settings import Environment
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE
from tests.examples import NOW, ORGANIZATION

ID = UUID(int=1)
SUPPLIER = "310700029"
API, OPEN, READ = "nhn:msh/api", "nhn:msh/open", "nhn:pit/read"
RIGHT = "processor"
ALTINN, REQUEST = "https://altinn.example", "https://altinn.example/request"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SYSTEM = ClientSystem(
    id="epj",
    name="Fjord EPJ",
    supplier_name="Fjord Systemer AS",
    supplier_organization_number=SUPPLIER,
    scopes=[Asks(CLIENT_SCOPE), Asks(API, right=RIGHT), Asks(OPEN, right=RIGHT), Asks(READ)],
    grant_types=["client_credentials"],
)
AROUND = Around(
    catalogue=replace(CATALOGUE, client_systems=[SYSTEM]),
    environment=Environment.TEST,
    client_scope=CLIENT_SCOPE,
    base_url="https://onboarding.example",
    altinn_pages=ALTINN,
    operator="Prøvedrift AS",
    operator_contact=None,
    usual_seconds={},
    now=NOW,
)


def steps(
    draft: DraftSeen | None = None,
    client: ClientSeen | None = None,
    *,
    organization: str = ORGANIZATION,
    around: Around = AROUND,
) -> list[Step]:
    facts = Facts(
        client_id=ID,
        organization_number=organization,
        organization_name=None,
        client_system_id=SYSTEM.id,
        draft=draft,
        client=client,
    )
    return steps_of(facts, around)


def of(code: StepCode, found: list[Step]) -> list[Step]:
    return [step for step in found if step.code is code]


def a_draft(status: DraftStatus = DraftStatus.PENDING, **more: Any) -> DraftSeen:
    given: dict[str, Any] = {"created_at": NOW - HOUR, "expires_at": NOW + HOUR}
    return DraftSeen(status=status, **(given | more))
