from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.notices.rules import NoticeKind, Recipient


class Notice(Base):
    """Something that somebody is told. `created_at` is the domain's time, the others are real."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(None, "due_at", postgresql_where="sent_at IS NULL AND address IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, init=False)
    client_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[NoticeKind]
    recipient: Mapped[Recipient]
    address: Mapped[str | None]
    """None where nobody has given one: the operator sees the notice all the same."""
    facts: Mapped[dict[str, str]] = mapped_column(JSONB)
    """What fills the gaps of its texts."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    last_failure: Mapped[str | None] = mapped_column(default=None)
