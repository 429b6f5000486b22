from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Publication(Base):
    """What the issuer knows of a client (`published`), and what it has to know (`wanted`).

    Times are the database's own clock: they pace calls to a neighbour, which no domain time moves.
    """

    __tablename__ = "publications"
    __table_args__ = (Index(None, "due_at", postgresql_where="published < wanted"),)

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    wanted: Mapped[int] = mapped_column(BigInteger)
    published: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    last_failure: Mapped[str | None] = mapped_column(default=None)


class ToldScopes(Base):
    """The scopes that the issuer was last told to give a client's tokens for.

    A table of its own: it is written together with what a reader sees of it, and whoever holds
    the publication's row must not wait for those who change the client.
    """

    __tablename__ = "told_scopes"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    scopes: Mapped[list[str]]
