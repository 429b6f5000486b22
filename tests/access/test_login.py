"""The rules of a person's login, and the rows that attempts and sessions are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.browser import login_cookie, no_login_cookie, session_cookie
from app.access.callers import Origin
from app.access.login import (
    ATTEMPT_LIFE,
    FRESH,
    SESSION_LIFE,
    CallbackAnswer,
    LoginCancelled,
    Standing,
    checked_state,
    code_challenge,
    digest_of,
    issued_code,
    pseudonym,
    standing,
)
from app.access.login_issuer import Identity, LoginRefused
from app.access.login_sessions import (
    Goal,
    OpenSession,
    begin_attempt,
    open_session,
    start_session,
    take_attempt,
)
from app.access.models import LoginAttempt, LoginSession
from app.access.person_numbers import PersonNumber, unsealed
from app.audit.models import AuditEvent
from app.database import Database
from tests.serving import settings_for

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ISSUER = "https://sts.example"
YES = CallbackAnswer(code="code", state="state", iss=ISSUER, error=None)
GOAL = Goal(uuid4(), "nn", 8765, "/callback")
KARI = Identity("kari", "Kari Nordmann", 4, NOW)
ORIGIN = Origin("192.0.2.1", "request")
SECRET_KEY = "a secret that only this test knows"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, connections=10)
    yield database
    await database.engine.dispose()


def test_the_challenge_is_that_of_the_example_in_the_specification() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_an_answer_to_this_browsers_attempt_is_taken() -> None:
    assert checked_state(YES, cookie="state") == "state"
    assert issued_code(YES, issuer=ISSUER) == "code"


@pytest.mark.parametrize("cookie", [None, "", "State", "state ", "another", "\ud800"])
@pytest.mark.parametrize("state", [None, "", "state"])
def test_an_answer_to_anybody_elses_attempt_is_refused(
    state: str | None, cookie: str | None
) -> None:
    with pytest.raises(LoginRefused):
        checked_state(replace(YES, state=state), cookie=cookie)


@pytest.mark.parametrize(
    "answer",
    [
        replace(YES, iss=None),
        replace(YES, iss=""),
        replace(YES, iss="https://sts.example/"),
        replace(YES, iss="https://evil.example"),
        replace(YES, iss="https://evil.example", error="access_denied"),
        replace(YES, code=None),
        replace(YES, code=""),
        replace(YES, error="server_error"),
        replace(YES, error=""),
    ],
)
def test_an_answer_that_is_not_the_issuers_yes_is_refused(answer: CallbackAnswer) -> None:
    with pytest.raises(LoginRefused) as refused:
        issued_code(answer, issuer=ISSUER)
    assert not isinstance(refused.value, LoginCancelled)


def test_turning_back_at_the_issuer_is_no_failure() -> None:
    with pytest.raises(LoginCancelled):
        issued_code(replace(YES, error="access_denied"), issuer=ISSUER)


@pytest.mark.parametrize(
    ("age", "level", "required", "expected"),
    [
        (timedelta(), 4, 4, Standing.GOOD),
        (FRESH, 4, 4, Standing.GOOD),
        (FRESH + timedelta(seconds=1), 4, 4, Standing.TOO_OLD),
        (timedelta(seconds=-5), 4, 4, Standing.GOOD),
        (timedelta(seconds=-6), 4, 4, Standing.TOO_OLD),
        (timedelta(), 3, 4, Standing.TOO_WEAK),
        (timedelta(), 3, 3, Standing.GOOD),
        (timedelta(), 0, 3, Standing.TOO_WEAK),
        (timedelta(days=1), 3, 4, Standing.TOO_WEAK),
    ],
)
def test_a_decision_needs_a_fresh_and_strong_login(
    age: timedelta, level: int, required: int, expected: Standing
) -> None:
    assert standing(NOW - age, level, required_level=required, now=NOW) is expected


def test_a_pseudonym_is_keyed_and_lasts() -> None:
    one = pseudonym("kari", secret_key=SECRET_KEY)
    assert one == pseudonym("kari", secret_key=SECRET_KEY)
    assert one != pseudonym("ola", secret_key=SECRET_KEY)
    assert one != pseudonym("kari", secret_key=SECRET_KEY[::-1])
    assert "kari" not in one


def test_cookies_belong_to_this_host_alone() -> None:
    https = settings_for("postgresql://x/x", public_base_urls=["https://onboarding.example"])
    for cookie in (login_cookie(https, "x"), session_cookie(https, "x"), no_login_cookie(https)):
        header = cookie.to_header(header="")
        assert header.startswith("__Host-")
        for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert part in header
        assert "Domain" not in header


def test_a_sandbox_without_tls_has_cookies_that_its_browser_takes() -> None:
    header = session_cookie(settings_for("postgresql://x/x"), "x").to_header(header="")
    assert header.startswith("session=x;")
    assert "HttpOnly" in header
    assert "Secure" not in header


async def test_an_attempt_is_taken_once(database: Database) -> None:
    async with database.sessions() as db:
        attempt = await begin_attempt(db, GOAL, now=NOW)
        assert await take_attempt(db, attempt.state, now=NOW) == (attempt, GOAL)
        assert await take_attempt(db, attempt.state, now=NOW) is None


@pytest.mark.race
async def test_of_many_answers_to_an_attempt_one_is_taken(database: Database) -> None:
    async with database.sessions() as db:
        attempt = await begin_attempt(db, GOAL, now=NOW)

    async def take() -> bool:
        async with database.sessions() as db:
            return await take_attempt(db, attempt.state, now=NOW) is not None

    assert sum(await asyncio.gather(*(take() for _ in range(8)))) == 1


async def test_an_attempt_lasts_ten_minutes(database: Database) -> None:
    async with database.sessions() as db:
        attempt = await begin_attempt(db, GOAL, now=NOW)
        assert await take_attempt(db, attempt.state, now=NOW + ATTEMPT_LIFE) is None


async def test_no_secret_of_a_browser_stands_in_a_table(database: Database) -> None:
    async with database.sessions() as db:
        attempt = await begin_attempt(db, GOAL, now=NOW)
        secret = await started(database)
        kept = (await db.scalars(select(LoginAttempt))).one()
        session = (await db.scalars(select(LoginSession))).one()
    assert kept.state_digest == digest_of(attempt.state)
    stored = repr([vars(kept), vars(session)])
    assert attempt.state not in stored
    assert secret not in stored


async def test_a_session_holds_the_person_and_ends(database: Database) -> None:
    secret = await started(database)
    async with database.sessions() as db:
        session = await opened(db, secret, GOAL.client_id, NOW)
        assert session is not None
        assert (session.user.name, session.user.security_level) == ("Kari Nordmann", 4)
        assert (session.redirect_port, session.redirect_path) == (8765, "/callback")
        over = NOW + SESSION_LIFE
        assert await opened(db, secret, GOAL.client_id, over) is None


async def test_a_session_is_for_one_client(database: Database) -> None:
    secret = await started(database)
    async with database.sessions() as db:
        assert await opened(db, secret, uuid4(), NOW) is None
        other = secret[::-1]
        assert await opened(db, other, GOAL.client_id, NOW) is None


async def test_a_login_ends_the_browsers_session_so_far(database: Database) -> None:
    old = await started(database)
    new = await started(database, ends=old)
    async with database.sessions() as db:
        assert await opened(db, old, GOAL.client_id, NOW) is None
        assert await opened(db, new, GOAL.client_id, NOW) is not None


async def test_a_login_is_told_of_by_pseudonym(database: Database) -> None:
    await started(database)
    async with database.sessions() as db:
        event = (await db.scalars(select(AuditEvent))).one()
    assert event.happened == "person.loggedIn"
    assert event.actor == f"person:{pseudonym('kari', secret_key=SECRET_KEY)}"
    assert (event.subject, event.source) == (str(GOAL.client_id), "192.0.2.1")
    assert "Nordmann" not in repr(vars(event))


async def started(
    database: Database, ends: str | None = None, person: PersonNumber | None = None
) -> str:
    identity = replace(KARI, person=person)
    async with database.sessions() as db:
        return await start_session(
            db, GOAL, identity, origin=ORIGIN, ends=ends, secret_key=SECRET_KEY, now=NOW
        )


async def opened(
    db: AsyncSession, secret: str, client_id: UUID, now: datetime
) -> OpenSession | None:
    return await open_session(db, secret, client_id, origin=ORIGIN, secret_key=SECRET_KEY, now=now)


async def test_a_persons_number_is_read_from_the_session_and_from_nowhere_else(
    database: Database,
) -> None:
    secret = await started(database, person=PersonNumber("12838540056"))
    async with database.sessions() as db:
        session = await opened(db, secret, GOAL.client_id, NOW)
        row = (await db.scalars(select(LoginSession))).one()
        event = (await db.scalars(select(AuditEvent))).one()
    assert session is not None
    assert session.person == PersonNumber("12838540056")
    assert row.sealed_person_number is not None
    for shown in (repr(vars(row)), repr(vars(event)), repr(session)):
        assert "12838540056" not in shown
    kept = row.sealed_person_number
    assert unsealed(kept, secret_key=SECRET_KEY, bound_to=b"another row") is None
    assert unsealed(kept, secret_key="another key", bound_to=row.digest) is None


async def test_a_shared_link_is_remembered_until_the_login_is_over(database: Database) -> None:
    async with database.sessions() as db:
        attempt = await begin_attempt(db, replace(GOAL, shared=True), now=NOW)
        taken = await take_attempt(db, attempt.state, now=NOW)
    assert taken is not None
    assert taken[1].shared
