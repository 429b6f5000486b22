"""Notices: what organizations, suppliers and API owners are told without having asked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("last_failure", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.CheckConstraint("kind IN ('clientConfirmed')", name=op.f("ck_notices_noticekind")),
        sa.CheckConstraint(
            "recipient IN ('organization', 'supplier', 'apiOwner')",
            name=op.f("ck_notices_recipient"),
        ),
    )
    op.create_index("ix_notices_client_id", "notices", ["client_id"])
    op.create_index(
        "ix_notices_due_at",
        "notices",
        ["due_at"],
        postgresql_where="sent_at IS NULL AND address IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_table("notices")
