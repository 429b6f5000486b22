"""Attempts to log in, and the sessions that come of them. Each function is one transaction.

An attempt is spent by the first answer that comes for it. A session opens the pages of one
draft: its row names the client.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import EndUser, Origin
from app.access.login import ATTEMPT_LIFE, SESSION_LIFE, digest_of, new_secret, pseudonym
from app.access.login_issuer import Identity
from app.access.models import LoginAttempt, LoginSession
from app.access.person_numbers import PersonNumber, sealed, unsealed
from app.audit.trail import Happened, record


class Goal(Struct, frozen=True):
    """The page that a person wants to get to, and what the link there brought along."""

    client_id: UUID
    language: str
    redirect_port: int | None = None
    redirect_path: str | None = None
    shared: bool = False
    """Somebody passed the link on: the way never leads back to a program on this machine."""


class Attempt(Struct, frozen=True):
    """The secrets of one attempt: the browser keeps `state`, the others never leave the server."""

    state: str
    nonce: str
    code_verifier: str


class OpenSession(Struct, frozen=True):
    """A session that has not ended, and the person in it."""

    digest: bytes
    client_id: UUID
    user: EndUser
    redirect_port: int | None
    redirect_path: str | None
    person: PersonNumber | None = None


async def begin_attempt(db: AsyncSession, goal: Goal, *, now: datetime) -> Attempt:
    attempt = Attempt(new_secret(), new_secret(), new_secret())
    async with db.begin():
        db.add(
            LoginAttempt(
                state_digest=digest_of(attempt.state),
                client_id=goal.client_id,
                nonce=attempt.nonce,
                code_verifier=attempt.code_verifier,
                language=goal.language,
                shared=goal.shared,
                redirect_port=goal.redirect_port,
                redirect_path=goal.redirect_path,
                expires_at=now + ATTEMPT_LIFE,
            )
        )
    return attempt


async def take_attempt(
    db: AsyncSession, state: str, *, now: datetime
) -> tuple[Attempt, Goal] | None:
    """The attempt with this state, spent by this. None: there is none, or it is too old."""
    async with db.begin():
        row = await db.scalar(
            delete(LoginAttempt)
            .where(LoginAttempt.state_digest == digest_of(state))
            .returning(LoginAttempt)
        )
    if row is None or now >= row.expires_at:
        return None
    goal = Goal(row.client_id, row.language, row.redirect_port, row.redirect_path, row.shared)
    return Attempt(state, row.nonce, row.code_verifier), goal


async def start_session(
    db: AsyncSession,
    goal: Goal,
    identity: Identity,
    *,
    origin: Origin,
    ends: str | None,
    secret_key: str,
    now: datetime,
) -> str:
    """The new session's secret. `ends` is the secret of the browser's session so far."""
    secret = new_secret()
    digest = digest_of(secret)
    user = EndUser(
        pseudonym=pseudonym(identity.subject, secret_key=secret_key),
        name=identity.name,
        security_level=identity.security_level,
        auth_time=identity.auth_time,
        origin=origin,
    )
    async with db.begin():
        if ends:
            await db.execute(delete(LoginSession).where(LoginSession.digest == digest_of(ends)))
        session = LoginSession(
            digest=digest,
            client_id=goal.client_id,
            pseudonym=user.pseudonym,
            name=user.name,
            security_level=user.security_level,
            auth_time=user.auth_time,
            redirect_port=goal.redirect_port,
            redirect_path=goal.redirect_path,
            expires_at=now + SESSION_LIFE,
        )
        if person := identity.person:
            kept = sealed(person, secret_key=secret_key, bound_to=digest)
            session.sealed_person_number = kept
        db.add(session)
        record(db, Happened.PERSON_LOGGED_IN, actor=user.actor, subject=goal.client_id, at=now)
    return secret


async def open_session(
    db: AsyncSession,
    secret: str,
    client_id: UUID,
    *,
    origin: Origin,
    secret_key: str,
    now: datetime,
) -> OpenSession | None:
    """The session with this secret, if it is one for the pages of this client."""
    async with db.begin():
        row = await db.scalar(select(LoginSession).where(LoginSession.digest == digest_of(secret)))
    if row is None or row.client_id != client_id or now >= row.expires_at:
        return None
    user = EndUser(row.pseudonym, row.name, row.security_level, row.auth_time, origin)
    kept = row.sealed_person_number
    person = unsealed(kept, secret_key=secret_key, bound_to=row.digest) if kept else None
    return OpenSession(row.digest, client_id, user, row.redirect_port, row.redirect_path, person)
