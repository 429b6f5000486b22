from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.approvals.rules import AccessEvent, AccessState
from app.database import Base

CLIENT = "client_configurations.client_id"


class ApiAccess(Base):
    """Whether an API's owner lets a client near the API at all."""

    __tablename__ = "api_accesses"

    client_id: Mapped[UUID] = mapped_column(ForeignKey(CLIENT), primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[AccessState]
    reason: Mapped[str | None] = mapped_column(default=None)
    """The owner's own words, shown to the client."""
    since: Mapped[datetime]


class ScopeAccess(Base):
    """Whether an API's owner grants a scope to a client, and when a decision falls due."""

    __tablename__ = "scope_accesses"
    __table_args__ = (Index(None, "decide_at", postgresql_where="decide_at IS NOT NULL"),)

    client_id: Mapped[UUID] = mapped_column(ForeignKey(CLIENT), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str]
    position: Mapped[int | None]
    """Where it stands in the list that the client asked for. None: the client has dropped it,
    and the row remembers that the owner had said no."""
    state: Mapped[AccessState]
    reason: Mapped[str | None] = mapped_column(default=None)
    since: Mapped[datetime]
    asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the client asked for it."""
    decide_at: Mapped[datetime | None] = mapped_column(default=None)
    decide_as: Mapped[AccessEvent | None] = mapped_column(default=None)


class ClaimValue(Base):
    """An API-specific claim of a client: the value in its tokens, and the one that is asked for."""

    __tablename__ = "claim_values"
    __table_args__ = (
        CheckConstraint("active_value IS NOT NULL OR pending_value IS NOT NULL", name="a_value"),
    )

    client_id: Mapped[UUID] = mapped_column(ForeignKey(CLIENT), primary_key=True)
    claim_type: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    active_value: Mapped[str | None] = mapped_column(default=None)
    pending_value: Mapped[str | None] = mapped_column(default=None)
    pending_refused: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(default=None)
    since: Mapped[datetime]
    asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the client asked for the newest value that had to wait."""
