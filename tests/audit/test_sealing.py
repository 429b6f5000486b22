import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEvent, AuditSeal
from app.audit.sealing import AT_ONCE, seal_trail, warn_of_unsealed
from app.audit.trail import OPERATOR, Happened, record
from app.audit.verification import Anchor, anchors, unsealed_count, verify_trail
from app.database import Database
from tests.examples import NOW


async def tell(database: Database, *subjects: str) -> None:
    for subject in subjects:
        async with database.sessions.begin() as db:
            record(db, Happened.CLIENT_BLOCKED, actor=OPERATOR, subject=subject, at=NOW, why="æ")


async def tamper(database: Database, *statements: str) -> None:
    """As somebody with all rights, who switches off what refuses changes."""
    async with database.sessions.begin() as db:
        await db.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await db.execute(text(statement))


async def nothing_older_runs(database: Database) -> None:
    """Tests beside this one may use the same server, whose oldest transaction counts for all."""
    older = text(
        "SELECT max(transaction_id) < pg_snapshot_xmin(pg_current_snapshot()) FROM audit_events"
    )
    async with asyncio.timeout(30), database.sessions() as db:
        while not await db.scalar(older):
            await db.rollback()
            await asyncio.sleep(0.02)


async def sealed_subjects(database: Database) -> list[str]:
    async with database.sessions() as db:
        return list(
            await db.scalars(
                select(AuditEvent.subject)
                .join(AuditSeal, AuditSeal.event_id == AuditEvent.id)
                .order_by(AuditSeal.number)
            )
        )


async def findings(database: Database, kept: list[Anchor] | None = None) -> list[str]:
    async with database.sessions() as db:
        return list((await verify_trail(db, kept or [])).findings)


async def exported(database: Database) -> list[Anchor]:
    async with database.sessions() as db:
        return [anchor async for anchor in anchors(db)]


async def test_events_are_sealed_in_order_and_once(database: Database) -> None:
    await tell(database, "a", "b")
    assert not await seal_trail(database.sessions)
    await tell(database, "c")
    assert not await seal_trail(database.sessions)
    assert not await seal_trail(database.sessions)
    assert await sealed_subjects(database) == ["a", "b", "c"]
    assert await findings(database) == []
    async with database.sessions() as db:
        assert await unsealed_count(db) == 0


async def test_an_empty_trail_is_whole(database: Database) -> None:
    assert not await seal_trail(database.sessions)
    assert await findings(database) == []
    assert await exported(database) == []


async def test_many_events_take_more_than_one_turn(database: Database) -> None:
    async with database.sessions.begin() as db:
        for number in range(AT_ONCE + 1):
            record(db, Happened.CLIENT_BLOCKED, actor=OPERATOR, subject=number, at=NOW)
    assert await seal_trail(database.sessions)
    assert not await seal_trail(database.sessions)
    assert len(await sealed_subjects(database)) == AT_ONCE + 1
    assert await findings(database) == []


async def test_nothing_is_sealed_past_a_transaction_that_still_runs(database: Database) -> None:
    async with database.sessions() as slow:
        await slow.begin()
        record(slow, Happened.CLIENT_BLOCKED, actor=OPERATOR, subject="slow", at=NOW)
        await slow.flush()
        await tell(database, "quick")
        await seal_trail(database.sessions)
        assert await sealed_subjects(database) == []
        await slow.commit()
    await seal_trail(database.sessions)
    assert await sealed_subjects(database) == ["slow", "quick"]


@pytest.mark.race
async def test_of_eight_sealers_one_works_at_a_time(database: Database) -> None:
    await tell(database, *"abcdefgh")
    await nothing_older_runs(database)
    await asyncio.gather(*(seal_trail(database.sessions) for _ in range(8)))
    assert await sealed_subjects(database) == [*"abcdefgh"]
    assert await findings(database) == []


async def test_an_event_that_waits_for_long_raises_the_alarm(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await tell(database, "a")
    with caplog.at_level(logging.ERROR):
        await warn_of_unsealed(database.sessions, now=NOW + timedelta(seconds=60))
        assert not caplog.records
        await warn_of_unsealed(database.sessions, now=NOW + timedelta(seconds=61))
    assert "1 audit events have waited" in caplog.text
    await seal_trail(database.sessions)
    caplog.clear()
    await warn_of_unsealed(database.sessions, now=NOW + timedelta(days=1))
    assert not caplog.records


@pytest.mark.parametrize(
    ("statements", "finding"),
    [
        (
            ["UPDATE audit_events SET actor = 'x' WHERE subject = 'b'"],
            "Event 2 (seal 2) was changed",
        ),
        (["UPDATE audit_events SET details = '{}' WHERE id = 2"], "Event 2 (seal 2) was changed"),
        (
            ["UPDATE audit_events SET at = at + interval '1 microsecond' WHERE id = 2"],
            "Event 2 (seal 2) was changed",
        ),
        (["UPDATE audit_seals SET hash = '\\x00' WHERE number = 2"], "Event 2 (seal 2)"),
        (["DELETE FROM audit_events WHERE id = 2"], "Event 2 (seal 2) was removed"),
        (
            [
                "DELETE FROM audit_seals WHERE number = 2",
                "DELETE FROM audit_events WHERE id = 2",
            ],
            "The seals between 1 and 3 are gone",
        ),
        (
            [
                "DELETE FROM audit_seals WHERE number = 2",
                "DELETE FROM audit_events WHERE id = 2",
                "UPDATE audit_seals SET number = 2 WHERE number = 3",
            ],
            "Event 3 (seal 2) was changed",
        ),
        (["DELETE FROM audit_seals WHERE number = 2"], "Event 2 was put in among sealed ones"),
        (
            [
                (
                    "INSERT INTO audit_events (transaction_id, happened, actor, subject, at)"
                    " SELECT transaction_id, happened, actor, 'x', at FROM audit_events LIMIT 1"
                )
            ],
            "Event 4 was put in among sealed ones",
        ),
    ],
)
async def test_what_was_tampered_with_is_found(
    database: Database, statements: list[str], finding: str
) -> None:
    await tell(database, "a", "b", "c")
    await seal_trail(database.sessions)
    await tamper(database, *statements)
    await seal_trail(database.sessions)
    assert any(finding in line for line in await findings(database))


async def test_what_is_gone_from_the_end_is_found_by_what_was_exported(database: Database) -> None:
    await tell(database, "a", "b")
    await seal_trail(database.sessions)
    kept = await exported(database)
    assert [anchor.number for anchor in kept] == [2]
    assert await findings(database, kept) == []
    remove = "DELETE FROM {} WHERE {} = 2"
    await tamper(database, remove.format("audit_seals", "number"))
    await tamper(database, remove.format("audit_events", "id"))
    assert await findings(database) == []
    assert await findings(database, kept) == ["Seal 2 was exported and is gone."]


async def test_a_trail_that_was_chained_anew_is_found_by_what_was_exported(
    database: Database,
) -> None:
    await tell(database, "a", "b")
    await seal_trail(database.sessions)
    kept = await exported(database)
    await tamper(
        database, "DELETE FROM audit_seals", "UPDATE audit_events SET subject = 'x' WHERE id = 1"
    )
    await seal_trail(database.sessions)
    assert await findings(database) == []
    assert await findings(database, kept) == ["Seal 2 is not the one that was exported."]


@pytest.mark.parametrize("table", ["audit_events", "audit_seals"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
async def test_the_database_refuses_to_change_the_trail(
    database: Database, table: str, statement: str
) -> None:
    await tell(database, "a")
    await seal_trail(database.sessions)
    column = {"audit_events": "actor", "audit_seals": "hash"}[table]
    with pytest.raises(DBAPIError, match="only added to"):
        async with database.sessions.begin() as db:
            await db.execute(text(statement.format(table, column, column)))
