from datetime import datetime
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.delegations.answers import Source, Standing
from app.delegations.rules import State


class Delegation(Base):
    """Whether `giver` has given `receiver` a right that a client of theirs needs.

    It changes only when its state does. What changes with each answer is the poll's.
    """

    __tablename__ = "delegations"
    __table_args__ = (
        UniqueConstraint("client_id", "right", "giver", "receiver"),
        Index(None, "giver"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client_configurations.client_id"))
    right: Mapped[str]
    giver: Mapped[str]
    receiver: Mapped[str]
    state: Mapped[State] = mapped_column(default=State.UNKNOWN)
    since: Mapped[datetime]
    not_seen_after_approval: Mapped[bool] = mapped_column(default=False)
    first_no_at: Mapped[datetime | None] = mapped_column(default=None)
    first_no_by: Mapped[Source | None] = mapped_column(default=None)
    request_id: Mapped[str | None] = mapped_column(default=None)
    """Altinn's id of the newest request of ours."""
    request_link: Mapped[str | None] = mapped_column(default=None)
    requested_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def standing(self) -> Standing:
        return Standing(
            state=self.state,
            since=self.since,
            not_seen_after_approval=self.not_seen_after_approval,
            first_no_at=self.first_no_at,
            first_no_by=self.first_no_by,
            requested_at=self.requested_at,
        )

    def take(self, standing: Standing) -> None:
        self.state, self.since = standing.state, standing.since
        self.not_seen_after_approval = standing.not_seen_after_approval
        self.first_no_at, self.first_no_by = standing.first_no_at, standing.first_no_by
        self.requested_at = standing.requested_at


class DelegationPoll(Base):
    """When a delegation is asked about next, and what Altinn said last.

    Narrow, because each answer rewrites it.
    `leased_until` is the database's clock, the other times are the domain's.
    """

    __tablename__ = "delegation_polls"
    __table_args__ = (
        Index(None, "due_at", postgresql_where="due_at IS NOT NULL"),
        Index(None, "watched_until", postgresql_where="watched_until IS NOT NULL"),
    )

    delegation_id: Mapped[UUID] = mapped_column(
        ForeignKey("delegations.id", ondelete="CASCADE"), primary_key=True
    )
    due_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    last_error: Mapped[str | None] = mapped_column(default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)
    """Of the last answer that could be relied on, as are the three that follow."""
    source: Mapped[Source | None] = mapped_column(default=None)
    decision: Mapped[str | None] = mapped_column(default=None)
    request_ref: Mapped[str | None] = mapped_column(default=None)
    watched_since: Mapped[datetime | None] = mapped_column(default=None)
    watched_until: Mapped[datetime | None] = mapped_column(default=None)
    asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """When somebody last demanded a check."""


class CallBudget(Base):
    """How many calls a product of Altinn's, or the register, may get now. Real: calls are real."""

    __tablename__ = "altinn_budgets"

    product: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[float] = mapped_column(Float)
    counted_at: Mapped[datetime]


class FollowedFeed(Base):
    """How far we have read in a neighbour's list of changes.

    `leased_until` is the database's clock, the other times are the domain's.
    """

    __tablename__ = "followed_feeds"

    name: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[str]
    begun_at: Mapped[datetime]
    """What changed before is not in the list for us: it is looked up."""
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    last_error: Mapped[str | None] = mapped_column(default=None)
