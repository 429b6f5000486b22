from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.client_keys.rules import KeyOrigin, KeyState
from app.client_keys.wire import StoredKey
from app.database import Base, Json


class ClientKey(Base):
    """A public key of a client. A thumbprint is registered once, for one client, for ever."""

    __tablename__ = "client_keys"
    __table_args__ = (
        UniqueConstraint("client_id", "kid"),
        # What the job that ends keys looks for.
        Index(None, "expires_at", postgresql_where="state IN ('activating', 'active', 'retiring')"),
        Index(None, "retires_at", postgresql_where="state = 'retiring'"),
    )

    thumbprint: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client_configurations.client_id"))
    kid: Mapped[str]
    public_key: Mapped[StoredKey] = mapped_column(Json(StoredKey))
    origin: Mapped[KeyOrigin]
    state: Mapped[KeyState] = mapped_column(default=KeyState.ACTIVATING)
    created_at: Mapped[datetime]
    active_at: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    retires_at: Mapped[datetime | None] = mapped_column(default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    leaked_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its private part was sent to us: somebody has it who should not."""
