from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class ApiKey(Base):
    """A key of a client system's installers. Only its SHA-256 is kept; the prefix is public."""

    __tablename__ = "api_keys"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    client_system_id: Mapped[str]
    label: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class UsedProof(Base):
    """A proof that has been spent, by the key that signed it and its `jti`."""

    __tablename__ = "used_proofs"

    key_thumbprint: Mapped[str] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(primary_key=True)
    usable_until: Mapped[datetime] = mapped_column(index=True)


class RequestCount(Base):
    """How often something limited was asked for in one window of time."""

    __tablename__ = "request_counts"

    name: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    window_end: Mapped[datetime] = mapped_column(
        index=True, server_default=text("now() + interval '1 day'")
    )
    """From then on nobody asks for it. The longest window is a day."""
    count: Mapped[int]


class KeptAnswer(Base):
    """What an answer was made of, for whom sends its request again with the same key."""

    __tablename__ = "kept_answers"

    name: Mapped[bytes] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    makings: Mapped[str]
    """JSON that holds no secret."""
    kept_at: Mapped[datetime] = mapped_column(index=True)


class LoginAttempt(Base):
    """A login that a browser has begun, by the digest of its `state`. It is used once."""

    __tablename__ = "login_attempts"

    state_digest: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    language: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    redirect_port: Mapped[int | None] = mapped_column(default=None)
    redirect_path: Mapped[str | None] = mapped_column(default=None)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LoginSession(Base):
    """A logged-in person at the pages of one draft, by the digest of the cookie."""

    __tablename__ = "login_sessions"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    pseudonym: Mapped[str]
    name: Mapped[str]
    security_level: Mapped[int]
    auth_time: Mapped[datetime]
    sealed_person_number: Mapped[bytes | None] = mapped_column(default=None)
    """For Altinn alone, and gone with the session."""
    redirect_port: Mapped[int | None] = mapped_column(default=None)
    redirect_path: Mapped[str | None] = mapped_column(default=None)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class OnboardingTokenVersion(Base):
    """How often an operator has revoked the onboarding token of a client. Without a row: never."""

    __tablename__ = "onboarding_token_versions"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
