from datetime import datetime
from typing import Any

from sqlalchemy import DDL, BigInteger, ForeignKey, Identity, Index, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.database import Base


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`: never wraps around, and is comparable with a snapshot's bounds."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "xid8"


class AuditEvent(Base):
    """One thing that happened."""

    __tablename__ = "audit_events"
    __table_args__ = (
        # For the waits that are counted: the trail is never swept.
        Index(
            "ix_audit_events_delegations", "at", postgresql_where="happened = 'delegation.changed'"
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, init=False)
    transaction_id: Mapped[int] = mapped_column(
        TransactionId, server_default=func.pg_current_xact_id(), init=False, index=True
    )
    happened: Mapped[str]
    actor: Mapped[str]
    """`client:<id>`, `api-key:<prefix>`, `person:<pseudonym>`, `operator`, `worker`."""
    subject: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    source: Mapped[str | None] = mapped_column(default=None)
    """The caller's address."""
    request_id: Mapped[str | None] = mapped_column(default=None)
    details: Mapped[dict[str, str] | None] = mapped_column(JSONB, default=None)


class AuditSeal(Base):
    """The hash of one event and all that were sealed before it."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(ForeignKey("audit_events.id"), unique=True)
    hash: Mapped[bytes]
    sealed_at: Mapped[datetime]


# The service's own role may well be the owner of the tables, so that grants do not bind it:
# triggers refuse every change of what has happened, TRUNCATE included.
REFUSE_CHANGES = """
CREATE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END$$
"""
for statement in (
    REFUSE_CHANGES,
    *(
        f"CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()"
        for table in (AuditEvent.__tablename__, AuditSeal.__tablename__)
    ),
):
    event.listen(Base.metadata, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
