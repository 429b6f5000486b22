"""A client whose scope needs a right, and an Altinn at the port that says what it is told to."""

import asyncio
from collections import Counter
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from app.apis.catalogue import (
    Catalogue,
    ClientSystem,
    Right,
    RightKind,
    SystemScope,
    Tenancy,
    Texts,
)
from app.clients.models import ClientConfiguration
from app.database import Database
from app.delegations.altinn import AltinnUnavailable, MadeRequest, Question
from app.delegations.answers import Answer, Found, RequestStatus, Source
from app.delegations.asking import ask_what_is_due
from app.delegations.following import follow
from app.delegations.models import Delegation, DelegationPoll
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE, ask
from tests.examples import NOW, ORGANIZATION

SUPPLIER = "310700029"
SCOPE = "nhn:msh/api"
RIGHT = Right(
    name="data-processor",
    title=Texts(nb="Databehandler", nn="Databehandlar", en="Data processor"),
    kind=RightKind.MASKINPORTEN_SCHEMA,
    resource_id="nhn-databehandler",
    maskinporten_scope="nhn:helseid/databehandler",
)
SYSTEM = ClientSystem(
    id="edi",
    name="EDI-klient",
    supplier_name="Fjord Systemer AS",
    supplier_organization_number=SUPPLIER,
    scopes=[SystemScope(CLIENT_SCOPE, preselected=True), SystemScope(SCOPE, right=RIGHT.name)],
    grant_types=["client_credentials"],
)
WITH_RIGHT = Catalogue(
    apis=CATALOGUE.apis, client_systems=[SYSTEM], organization_rules=[], rights=[RIGHT]
)


async def followed_client(
    database: Database,
    *,
    organization_number: str = ORGANIZATION,
    scopes: tuple[str, ...] = (CLIENT_SCOPE, SCOPE),
    now: datetime = NOW,
) -> UUID:
    """A client as it is once it has been confirmed."""
    async with database.sessions.begin() as db:
        client = ClientConfiguration(
            client_id=uuid4(),
            client_system_id=SYSTEM.id,
            tenancy=Tenancy.SINGLE,
            organization_number=organization_number,
            organization_name="FJORDBYEN LEGESENTER AS",
            redirect_uris=[],
            post_logout_redirect_uris=[],
            child_organization_numbers=[],
            created_at=now,
        )
        db.add(client)
        await db.flush()
        await ask(db, client.client_id, list(scopes), organization_number=organization_number)
        await follow(db, client, WITH_RIGHT, now=now)
    return client.client_id


async def record_of(database: Database, client_id: UUID) -> tuple[Delegation, DelegationPoll]:
    async with database.sessions() as db:
        rows = await db.execute(
            select(Delegation, DelegationPoll)
            .join(DelegationPoll, DelegationPoll.delegation_id == Delegation.id)
            .where(Delegation.client_id == client_id)
        )
        delegation, poll = rows.one()
        return delegation, poll


class InstantAltinn:
    """Answers at once, or fails, or waits until it is let go."""

    def __init__(self, found: Found = Found.GIVEN) -> None:
        self.found = found
        self.failure: AltinnUnavailable | None = None
        self.asked: Counter[str] = Counter()
        self.sources: list[Source] = []
        self.urgent: list[bool] = []
        self.withdrawn: list[str] = []
        self.status = RequestStatus.PENDING
        self.called = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def look_up(self, question: Question, source: Source) -> Answer:
        self.asked[question.giver] += 1
        self.sources.append(source)
        self.urgent.append(question.urgent)
        self.called.set()
        await self.may_go_on.wait()
        if self.failure:
            raise self.failure
        return Answer(found=self.found, source=source, decision=self.found, request_ref="ref")

    async def make_request(self, question: Question) -> MadeRequest:
        if self.failure:
            raise self.failure
        return MadeRequest(f"request-{question.giver}", RequestStatus.DRAFT, "https://a/1")

    async def request_status(self, request_id: str, *, urgent: bool) -> RequestStatus:
        return self.status

    async def withdraw_request(self, request_id: str) -> None:
        self.withdrawn.append(request_id)


async def ask_all(
    database: Database, altinn: InstantAltinn, now: datetime, *, limit: int = 10
) -> None:
    rights = WITH_RIGHT.right_named
    while await ask_what_is_due(database, altinn, rights, limit=limit, now=now):
        pass
