"""What the worker asks again and again: none of it reads a whole table, however large it has grown.

PostgreSQL counts how often a table was read from end to end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import pytest

from app.access.sweeping import SWEEPS
from app.approvals.decisions import due_decisions
from app.audit.sealing import seal_trail, warn_of_unsealed
from app.client_drafts.parking import leased_decision
from app.client_drafts.replacement import exchange_due
from app.client_drafts.sweeping import (
    expire_drafts,
    lapse_confirmations,
    sweep_drafts,
    sweep_organizations,
)
from app.client_keys.ending import end_keys
from app.database import Database
from app.delegations.leases import take_leases
from app.notices.use_cases import _leased, sweep_notices
from app.publications.leases import next_lease
from tests.examples import NOW
from tests.publications.examples import WITH_SYSTEM
from tests.serving import settings_for

MANY = 20_000
SECOND = timedelta(seconds=1)
# All of it is in good order: nothing is due.
FILLED = f"""
INSERT INTO client_configurations (client_id, client_system_id, tenancy, organization_number,
    organization_name, status, redirect_uris, post_logout_redirect_uris,
    child_organization_numbers, created_at)
SELECT md5(n::text)::uuid, 'epj', 'single-tenant', n::text, 'A', 'active', '{{}}', '{{}}', '{{}}',
    $1 FROM generate_series(1, {MANY}) n;
INSERT INTO client_drafts (client_id, client_system_id, api_key_prefix, organization_number, asked,
    public_key, pairing, activation, status, created_at, expires_at, decided_at, lengthened)
SELECT md5(n::text)::uuid, 'epj', 'k', n::text, '{{}}', '{{}}', false, false,
    (array['pending', 'confirmed', 'expired'])[1 + n % 3], $1, $1::timestamptz + '1 day',
    CASE n % 3 WHEN 1 THEN $1::timestamptz END, 0 FROM generate_series(1, {MANY}) n;
INSERT INTO client_keys (thumbprint, client_id, kid, public_key, origin, state, created_at,
    expires_at)
SELECT n::text, md5(n::text)::uuid, 'k', '{{}}', 'Api', 'active', $1, $1::timestamptz + '1 year'
    FROM generate_series(1, {MANY}) n;
INSERT INTO scope_accesses (client_id, scope, audience, position, state, since)
SELECT md5(n::text)::uuid, 'a/b', 'a', 0, 'granted', $1 FROM generate_series(1, {MANY}) n;
INSERT INTO publications (client_id, wanted, published, due_at, attempts)
SELECT md5(n::text)::uuid, 1, 1, $1, 0 FROM generate_series(1, {MANY}) n;
INSERT INTO delegations (id, client_id, "right", giver, receiver, state, since,
    not_seen_after_approval)
SELECT md5(n::text)::uuid, md5(n::text)::uuid, 'r', n::text, 's', 'active', $1, false
    FROM generate_series(1, {MANY}) n;
INSERT INTO delegation_polls (delegation_id, due_at, failures)
SELECT md5(n::text)::uuid, $1::timestamptz + '1 day', 0 FROM generate_series(1, {MANY}) n;
INSERT INTO notices (client_id, kind, recipient, address, facts, created_at, due_at, attempts,
    sent_at)
SELECT md5(n::text)::uuid, 'clientConfirmed', 'supplier', 'a@b.c', '{{}}', $1, $1, 0, $1
    FROM generate_series(1, {MANY}) n;
INSERT INTO organizations (organization_number, verdict, winding_up, checked_at, outdated)
SELECT n::text, 'mainUnit', false, $1, false FROM generate_series(1, {MANY}) n;
INSERT INTO used_proofs SELECT n::text, 'j', now() + '1 minute' FROM generate_series(1, {MANY}) n;
INSERT INTO kept_answers SELECT n::text::bytea, '', '', now() FROM generate_series(1, {MANY}) n;
INSERT INTO request_counts (name, window_start, window_end, count)
SELECT n::text, now(), now() + '1 day', 1 FROM generate_series(1, {MANY}) n;
INSERT INTO login_attempts (state_digest, client_id, nonce, code_verifier, language, shared,
    expires_at)
SELECT n::text::bytea, md5(n::text)::uuid, '', '', '', false, now() + '1 minute'
    FROM generate_series(1, {MANY}) n;
INSERT INTO login_sessions (digest, client_id, pseudonym, name, security_level, auth_time,
    expires_at)
SELECT n::text::bytea, md5(n::text)::uuid, '', '', 4, now(), now() + '1 minute'
    FROM generate_series(1, {MANY}) n;
INSERT INTO audit_events (happened, actor, subject, at) SELECT 'x', 'y', 'z', $1
    FROM generate_series(1, {MANY}) n;
INSERT INTO audit_seals SELECT id, id, '', $1 FROM audit_events;
"""
# The sealer looks no further back than the last transaction that it has sealed.
LATER = """
INSERT INTO audit_events (happened, actor, subject, at) VALUES ('x', 'y', 'z', $1);
INSERT INTO audit_seals SELECT id, id, '', $1 FROM audit_events ORDER BY id DESC LIMIT 1;
"""
SCANS = """SELECT relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup >= $1"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(FILLED.replace("$1", f"'{NOW.isoformat()}'"))
        await connection.execute(LATER.replace("$1", f"'{NOW.isoformat()}'"))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def scans(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    try:
        return dict(await connection.fetch(SCANS, MANY // 2))
    finally:
        await connection.close()


def jobs(database: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    sessions = database.sessions

    async def leased() -> object:
        async with database.writes.acquire() as connection:
            return await take_leases(connection, limit=5, lasting=SECOND, now=NOW)

    async def published() -> object:
        async with database.writes.acquire() as connection:
            return await next_lease(connection, SECOND)

    async def verified() -> object:
        async with sessions.begin() as db:
            return await leased_decision(db, now=NOW)

    settings = settings_for(database.url)
    return {
        "delegations": leased,
        "publications": published,
        "parked decisions": verified,
        "key exchanges": lambda: exchange_due(sessions, WITH_SYSTEM, settings, now=NOW),
        "notices": lambda: _leased(sessions),
        "decisions": lambda: due_decisions(sessions, NOW),
        "ending keys": lambda: end_keys(sessions, now=NOW),
        "expiring drafts": lambda: expire_drafts(sessions, now=NOW),
        "lapsing confirmations": lambda: lapse_confirmations(sessions, now=NOW),
        "old notices": lambda: sweep_notices(sessions, now=NOW),
        "old drafts": lambda: sweep_drafts(sessions, now=NOW),
        "unused organizations": lambda: sweep_organizations(sessions, now=NOW),
        "audit seals": lambda: seal_trail(sessions),
        "unsealed events": lambda: warn_of_unsealed(sessions, now=datetime.now(UTC)),
        **{name: partial(sweep, sessions) for name, sweep in SWEEPS.items()},
    }


async def test_no_job_reads_a_whole_table(database: Database) -> None:
    before = await scans(database.url)
    assert len(before) == 16
    read: dict[str, list[str]] = {}
    for name, run in jobs(database).items():
        assert not await run(), name  # nothing is due
        # A connection tells what it has done when it ends.
        await database.close()
        await database.open()
        after = await scans(database.url)
        read[name] = [table for table, count in after.items() if count > before[table]]
        before = after
    assert read == {name: [] for name in read}
