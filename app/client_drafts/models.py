from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.client_drafts.rules import DeclineReason, DraftStatus
from app.client_drafts.wire import AskedFor
from app.client_keys.wire import StoredKey
from app.database import Base, Json


class ClientDraft(Base):
    """A request for a client, as it was found acceptable, and what has become of it."""

    __tablename__ = "client_drafts"
    __table_args__ = (
        # The expiry job looks for these and for nothing else.
        Index(None, "expires_at", postgresql_where="status = 'pending'"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_system_id: Mapped[str]
    api_key_prefix: Mapped[str]
    organization_number: Mapped[str] = mapped_column(index=True)
    asked: Mapped[AskedFor] = mapped_column(Json(AskedFor))
    public_key: Mapped[StoredKey] = mapped_column(Json(StoredKey))
    pairing: Mapped[bool] = mapped_column(default=False)
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
