import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.decisions import Decision, decide_access, due_decisions
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessEvent, AccessState, NothingToDecide
from app.audit.models import AuditEvent
from app.audit.trail import OPERATOR
from app.changes.models import ClientChanges
from app.database import Database
from app.publications.models import Publication
from app.state_machine import WrongState
from tests.approvals.examples import CLIENT_SCOPE, LATER, ask, new_client
from tests.examples import NOW, ORGANIZATION

PENDING, GRANTED = AccessState.PENDING, AccessState.GRANTED
REJECTED, REVOKED = AccessState.REJECTED, AccessState.REVOKED
APPROVE, REFUSE = AccessEvent.APPROVE, AccessEvent.REFUSE


async def waiting_client(
    database: Database, organization_number: str = ORGANIZATION, scope: str = "nhn:pit/read"
) -> UUID:
    async with database.sessions() as db, db.begin():
        client_id = await new_client(db, organization_number)
        await ask(
            db,
            client_id,
            [CLIENT_SCOPE, scope],
            [("herid", "1")],
            organization_number=organization_number,
        )
    return client_id


async def decide(
    database: Database,
    client_id: UUID,
    event: AccessEvent,
    *,
    scope: str | None = None,
    audience: str | None = None,
    claim_type: str | None = None,
    reason: str | None = None,
) -> None:
    decision = Decision(
        client_id=client_id,
        event=event,
        scope=scope,
        audience=audience,
        claim_type=claim_type,
        reason=reason,
        actor=OPERATOR,
        at=NOW,
    )
    async with database.sessions() as db:
        await decide_access(db, decision)


async def states(
    database: Database, client_id: UUID, scope: str = "nhn:pit/read"
) -> tuple[AccessState, AccessState]:
    async with database.sessions() as db:
        row = await db.get_one(ScopeAccess, (client_id, scope))
        api = await db.get_one(ApiAccess, (client_id, row.audience))
    return api.state, row.state


async def told(db: AsyncSession, client_id: UUID) -> tuple[int, int, list[str]]:
    """The change counter, the wanted publication, and what the trail tells."""
    changes = await db.get_one(ClientChanges, client_id)
    publication = await db.get_one(Publication, client_id)
    events = await db.scalars(
        select(AuditEvent.happened)
        .where(AuditEvent.subject == str(client_id))
        .order_by(AuditEvent.id)
    )
    return changes.counter, publication.wanted, list(events)


async def test_approving_a_scope_lets_the_client_near_its_api(database: Database) -> None:
    client = await waiting_client(database)
    await decide(database, client, APPROVE, scope="nhn:pit/read")
    assert await states(database, client) == (GRANTED, GRANTED)
    async with database.sessions() as db:
        assert await told(db, client) == (1, 1, ["access.approved", "access.approved"])


async def test_refusing_a_granted_scope_takes_it_back_with_the_owners_words(
    database: Database,
) -> None:
    client = await waiting_client(database)
    await decide(database, client, APPROVE, scope="nhn:pit/read")
    await decide(database, client, REFUSE, scope="nhn:pit/read", reason="Avtalen er slutt.")
    assert await states(database, client) == (GRANTED, REVOKED)
    async with database.sessions() as db:
        row = await db.get_one(ScopeAccess, (client, "nhn:pit/read"))
    assert row.reason == "Avtalen er slutt."


async def test_everything_that_waits_is_decided_when_nothing_is_named(database: Database) -> None:
    client = await waiting_client(database)
    await decide(database, client, APPROVE)
    assert await states(database, client) == (GRANTED, GRANTED)
    async with database.sessions() as db:
        claim = await db.get_one(ClaimValue, (client, "herid"))
    assert (claim.active_value, claim.pending_value) == ("1", None)
    with pytest.raises(NothingToDecide):
        await decide(database, client, APPROVE)


async def test_a_scope_is_not_approved_below_an_api_that_is_refused(database: Database) -> None:
    client = await waiting_client(database)
    await decide(database, client, REFUSE, audience="nhn:pit")
    with pytest.raises(WrongState, match="approve that first"):
        await decide(database, client, APPROVE, scope="nhn:pit/read")
    assert await states(database, client) == (REJECTED, PENDING)


async def test_a_refused_claim_value_keeps_the_owners_words(database: Database) -> None:
    client = await waiting_client(database)
    await decide(database, client, REFUSE, claim_type="herid", reason="Ukjent.")
    async with database.sessions() as db:
        claim = await db.get_one(ClaimValue, (client, "herid"))
    assert (claim.pending_value, claim.pending_refused, claim.reason) == ("1", True, "Ukjent.")


async def test_what_nobody_asked_for_is_not_decided(database: Database) -> None:
    client = await waiting_client(database)
    with pytest.raises(NothingToDecide):
        await decide(database, client, APPROVE, scope="nhn:pit/write")
    with pytest.raises(NothingToDecide):
        await decide(database, uuid4(), APPROVE)


async def test_a_decision_is_carried_out_when_it_falls_due_and_not_before(
    database: Database,
) -> None:
    client = await waiting_client(database, LATER, "nhn:msh/open")
    assert not await due_decisions(database.sessions, NOW + timedelta(seconds=59))
    assert await states(database, client, "nhn:msh/open") == (PENDING, PENDING)
    assert await due_decisions(database.sessions, NOW + timedelta(seconds=60))
    assert await states(database, client, "nhn:msh/open") == (GRANTED, GRANTED)
    assert not await due_decisions(database.sessions, NOW + timedelta(seconds=60))
    async with database.sessions() as db:
        assert (await told(db, client))[:2] == (1, 1)


async def test_an_owner_who_is_quicker_than_the_due_decision_wins(database: Database) -> None:
    client = await waiting_client(database, LATER, "nhn:msh/open")
    await decide(database, client, REFUSE, scope="nhn:msh/open")
    assert not await due_decisions(database.sessions, NOW + timedelta(hours=1))
    assert await states(database, client, "nhn:msh/open") == (PENDING, REJECTED)


async def test_a_due_decision_does_not_outdo_an_api_that_was_refused(database: Database) -> None:
    client = await waiting_client(database, LATER, "nhn:msh/open")
    await decide(database, client, REFUSE, audience="nhn:msh")
    assert await due_decisions(database.sessions, NOW + timedelta(hours=1))
    assert not await due_decisions(database.sessions, NOW + timedelta(hours=1))
    assert await states(database, client, "nhn:msh/open") == (REJECTED, PENDING)


@pytest.mark.race
async def test_of_eight_who_decide_at_once_one_wins(database: Database) -> None:
    client = await waiting_client(database)
    outcomes = await asyncio.gather(
        *(decide(database, client, APPROVE, scope="nhn:pit/read") for _ in range(8)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "NoneType",
        *["WrongState"] * 7,
    ]
    async with database.sessions() as db:
        assert await told(db, client) == (1, 1, ["access.approved", "access.approved"])


@pytest.mark.race
async def test_a_due_decision_is_carried_out_once_by_eight_workers(database: Database) -> None:
    client = await waiting_client(database, LATER, "nhn:msh/open")
    later = NOW + timedelta(seconds=60)
    outcomes = await asyncio.gather(
        *(due_decisions(database.sessions, later) for _ in range(8)),
        decide(database, client, APPROVE, scope="nhn:msh/open"),
        return_exceptions=True,
    )
    assert not [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, WrongState)]
    async with database.sessions() as db:
        assert await told(db, client) == (1, 1, ["access.approved", "access.approved"])
