from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class ClientChanges(Base):
    """How many times a reader of this client could have seen something new."""

    __tablename__ = "client_changes"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    counter: Mapped[int] = mapped_column(BigInteger)
