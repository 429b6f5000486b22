"""What becomes of drafts by themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.access.models import OnboardingTokenVersion
from app.apis.catalogue import Tenancy
from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_drafts.sweeping import (
    ORGANIZATION_KEPT,
    expire_drafts,
    sweep_drafts,
    sweep_organizations,
)
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.clients.models import ClientConfiguration
from app.database import Database
from app.delegations.models import Delegation
from app.organizations.models import Organization
from app.organizations.register import Mark, Verdict
from tests.examples import NOW, ORGANIZATION

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    yield database
    await database.engine.dispose()


async def draft(
    database: Database,
    *,
    status: DraftStatus = DraftStatus.PENDING,
    expires_at: datetime = NOW,
    decided_at: datetime | None = None,
    organization_number: str = ORGANIZATION,
) -> UUID:
    row = ClientDraft(
        client_id=uuid4(),
        client_system_id="epj",
        api_key_prefix="abc",
        organization_number=organization_number,
        asked=AskedFor(api_scopes=[]),
        public_key=StoredKey(uuid4().hex, "kid", {}),
        status=status,
        created_at=NOW - DAY,
        expires_at=expires_at,
        decided_at=decided_at,
    )
    async with database.sessions.begin() as db:
        db.add(row)
    return row.client_id


def a_client(client_id: UUID, *, organization_number: str = ORGANIZATION) -> ClientConfiguration:
    return ClientConfiguration(
        client_id=client_id,
        client_system_id="epj",
        tenancy=Tenancy.SINGLE,
        organization_number=organization_number,
        organization_name="ENHET",
        redirect_uris=[],
        post_logout_redirect_uris=[],
        child_organization_numbers=[],
        created_at=NOW,
    )


async def left(database: Database) -> dict[UUID, DraftStatus]:
    async with database.sessions() as db:
        rows = await db.execute(select(ClientDraft.client_id, ClientDraft.status))
        return {row.client_id: row.status for row in rows}


async def test_a_draft_expires_at_its_time_and_those_who_wait_are_told(database: Database) -> None:
    over = await draft(database)
    waiting = await draft(database, expires_at=NOW + MOMENT)
    confirmed = await draft(database, status=DraftStatus.CONFIRMED, decided_at=NOW)
    assert await expire_drafts(database.sessions, now=NOW)
    assert not await expire_drafts(database.sessions, now=NOW)
    assert await left(database) == {
        over: DraftStatus.EXPIRED,
        waiting: DraftStatus.PENDING,
        confirmed: DraftStatus.CONFIRMED,
    }
    async with database.sessions() as db:
        assert [row.client_id for row in await db.scalars(select(ClientChanges))] == [over]
        events = (await db.scalars(select(AuditEvent))).all()
    told = [(event.happened, event.actor, event.subject, event.at) for event in events]
    assert told == [("clientDraft.expired", "worker", str(over), NOW)]


@pytest.mark.race
async def test_each_draft_expires_once(database: Database) -> None:
    for _ in range(10):
        await draft(database)

    async def expire_all() -> None:
        while await expire_drafts(database.sessions, now=NOW):
            pass

    await asyncio.gather(*(expire_all() for _ in range(8)))
    await expire_all()
    async with database.sessions() as db:
        counters = [row.counter for row in await db.scalars(select(ClientChanges))]
    assert counters == [1] * 10


async def test_a_draft_that_is_over_is_readable_for_thirty_days(database: Database) -> None:
    old, young = NOW - 30 * DAY - MOMENT, NOW - 30 * DAY
    for status in (DraftStatus.CONFIRMED, DraftStatus.DECLINED):
        await draft(database, status=status, expires_at=old, decided_at=old)
    await draft(database, status=DraftStatus.EXPIRED, expires_at=old)
    kept = {
        await draft(database, status=DraftStatus.CONFIRMED, expires_at=old, decided_at=young),
        await draft(database, status=DraftStatus.EXPIRED, expires_at=young),
        await draft(database, expires_at=old),
    }
    assert not await sweep_drafts(database.sessions, now=NOW)
    assert set(await left(database)) == kept


async def test_with_a_draft_goes_what_was_kept_beside_it(database: Database) -> None:
    old = NOW - 30 * DAY - MOMENT
    gone = await draft(database, status=DraftStatus.EXPIRED, expires_at=old)
    became = await draft(database, status=DraftStatus.CONFIRMED, decided_at=old)
    async with database.sessions.begin() as db:
        db.add(a_client(became))
        for client_id in (gone, became):
            db.add(ClientChanges(client_id=client_id, counter=1))
            db.add(OnboardingTokenVersion(client_id=client_id, version=2))
    assert not await sweep_drafts(database.sessions, now=NOW)
    assert await left(database) == {}
    async with database.sessions() as db:
        for kept in (ClientChanges.client_id, OnboardingTokenVersion.client_id):
            assert list(await db.scalars(select(kept))) == [became]


async def test_an_organization_that_nobody_uses_is_forgotten(database: Database) -> None:
    long_ago = NOW - ORGANIZATION_KEPT - MOMENT
    client_id = await draft(database, organization_number="310000019")
    used = {"310000019", "310000027", "310000035", "310000043", "310000051"}
    async with database.sessions.begin() as db:
        for number in used | {"310000078", "310000086"}:
            db.add(
                Organization(
                    organization_number=number,
                    verdict=Verdict.MAIN_UNIT,
                    checked_at=NOW - ORGANIZATION_KEPT if number == "310000051" else long_ago,
                    mark=Mark.BANKRUPT if number == "310000043" else None,
                )
            )
        db.add(a_client(client_id, organization_number="310000027"))
        await db.flush()
        db.add(
            Delegation(
                id=uuid4(),
                client_id=client_id,
                right="right",
                giver="310000035",
                receiver="310000019",
                since=NOW,
            )
        )
    assert not await sweep_organizations(database.sessions, now=NOW)
    async with database.sessions() as db:
        rows = await db.scalars(select(Organization.organization_number))
        assert set(rows) == used
