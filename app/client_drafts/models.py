from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit, status_now
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.database import Base, Json


class ClientDraft(Base):
    """A request for a client, as it was found acceptable, and what has become of it."""

    __tablename__ = "client_drafts"
    __table_args__ = (
        # The jobs that end drafts, and confirmations, look for these and for nothing else.
        Index(None, "expires_at", postgresql_where="status = 'pending'"),
        Index(None, "exchange_at", postgresql_where="status = 'awaitingExchange'"),
        Index(
            "one_exchange_waits",
            "replaces_keys_of",
            unique=True,
            postgresql_where="status = 'awaitingExchange'",
        ),
        Index(None, "activation_until", postgresql_where="status = 'awaitingActivation'"),
        Index(
            "ix_client_drafts_over_since",
            text("coalesce(decided_at, expires_at)"),
            postgresql_where="status <> 'pending'",
        ),
        Index(None, "replaces_keys_of", postgresql_where="replaces_keys_of IS NOT NULL"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_system_id: Mapped[str]
    api_key_prefix: Mapped[str]
    organization_number: Mapped[str] = mapped_column(index=True)
    replaces_keys_of: Mapped[UUID | None] = mapped_column(
        ForeignKey("client_configurations.client_id"), default=None
    )
    """The client that is to have the key, where there is one already. `client_id` then names this
    draft alone."""
    asked: Mapped[AskedFor] = mapped_column(Json(AskedFor))
    public_key: Mapped[StoredKey] = mapped_column(Json(StoredKey))
    pairing: Mapped[bool] = mapped_column(default=False)
    activation: Mapped[bool] = mapped_column(default=False)
    external_ref: Mapped[str | None] = mapped_column(default=None)
    status: Mapped[DraftStatus] = mapped_column(default=DraftStatus.PENDING)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None] = mapped_column(default=None)
    redirect_port: Mapped[int | None] = mapped_column(default=None)
    redirect_path: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(default=None)
    decline_reason: Mapped[DeclineReason | None] = mapped_column(default=None)
    escalated_at: Mapped[datetime | None] = mapped_column(default=None)
    """When somebody without the right passed it on."""
    activation_until: Mapped[datetime | None] = mapped_column(default=None)
    """Until when the newest confirmation's code can be used; it stays when that is over."""
    activated_at: Mapped[datetime | None] = mapped_column(default=None)
    exchange_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the key takes over from others that were seen lately."""
    contact_email: Mapped[str | None] = mapped_column(default=None)
    """For the client, while it waits for its activation."""
    last_visit: Mapped[LastVisit | None] = mapped_column(default=None)
    """How the last person who came got on, once it says something new."""
    last_visit_at: Mapped[datetime | None] = mapped_column(default=None)
    lengthened: Mapped[int] = mapped_column(default=0)
    """How often its life has been lengthened."""

    @property
    def final_client_id(self) -> UUID:
        """The client that comes of it, or that gets its key."""
        return self.replaces_keys_of or self.client_id

    def status_at(self, now: datetime) -> DraftStatus:
        return status_now(self.status, self.expires_at, now, self.activation_until)


class ParkedDecision(Base):
    """A yes that waits until Altinn and Enhetsregisteret can be asked. It goes with its answer.

    `leased_until` is the database's clock, the other times are the domain's.
    """

    __tablename__ = "parked_decisions"

    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("client_drafts.client_id", ondelete="CASCADE"), primary_key=True
    )
    pseudonym: Mapped[str]
    security_level: Mapped[int]
    sealed_person_number: Mapped[bytes | None] = mapped_column(default=None)
    """For Altinn alone. None where no Altinn is asked."""
    contact_email: Mapped[str | None] = mapped_column(default=None)
    parked_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
