"""Activation: a confirmed client begins when its program sends back the code it was given."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

STATUS = "ck_client_drafts_draftstatus"


def upgrade() -> None:
    op.add_column(
        "client_drafts",
        sa.Column("activation", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("client_drafts", "activation", server_default=None)
    op.add_column("client_drafts", sa.Column("activation_until", sa.TIMESTAMP(timezone=True)))
    op.add_column("client_drafts", sa.Column("activated_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("client_drafts", sa.Column("contact_email", sa.Text()))
    op.drop_constraint(op.f(STATUS), "client_drafts")
    op.create_check_constraint(
        op.f(STATUS),
        "client_drafts",
        "status IN ('pending', 'verifyingRight', 'awaitingActivation', 'confirmed', 'declined', "
        "'expired')",
    )
    op.create_index(
        "ix_client_drafts_activation_until",
        "client_drafts",
        ["activation_until"],
        postgresql_where="status = 'awaitingActivation'",
    )


def downgrade() -> None:
    op.drop_index("ix_client_drafts_activation_until", "client_drafts")
    op.execute("UPDATE client_drafts SET status = 'pending' WHERE status = 'awaitingActivation'")
    op.drop_constraint(op.f(STATUS), "client_drafts")
    op.create_check_constraint(
        op.f(STATUS),
        "client_drafts",
        "status IN ('pending', 'verifyingRight', 'confirmed', 'declined', 'expired')",
    )
    for column in ("contact_email", "activated_at", "activation_until", "activation"):
        op.drop_column("client_drafts", column)
