"""The person's right: what is asked of Altinn about people, drafts passed on, decisions parked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

STATUS = "ck_client_drafts_draftstatus"
REASON = "ck_client_drafts_declinereason"


def upgrade() -> None:
    op.add_column(
        "login_attempts",
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("login_attempts", "shared", server_default=None)
    op.add_column("login_sessions", sa.Column("sealed_person_number", sa.LargeBinary()))
    op.add_column("client_drafts", sa.Column("escalated_at", sa.TIMESTAMP(timezone=True)))
    op.drop_constraint(op.f(STATUS), "client_drafts")
    op.create_check_constraint(
        op.f(STATUS),
        "client_drafts",
        "status IN ('pending', 'verifyingRight', 'confirmed', 'declined', 'expired')",
    )
    op.drop_constraint(op.f(REASON), "client_drafts")
    op.create_check_constraint(
        op.f(REASON),
        "client_drafts",
        "decline_reason IN ('wrongOrganization', 'notOrdered', 'unsure', 'noRight', "
        "'notVerified', 'organizationRefused', 'noLongerOffered', 'keyTaken')",
    )
    op.create_table(
        "parked_decisions",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("security_level", sa.Integer(), nullable=False),
        sa.Column("sealed_person_number", sa.LargeBinary()),
        sa.Column("contact_email", sa.Text()),
        sa.Column("parked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_parked_decisions"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client_drafts.client_id"],
            name="fk_parked_decisions_client_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_parked_decisions_due_at", "parked_decisions", ["due_at"])


def downgrade() -> None:
    op.drop_table("parked_decisions")
    op.drop_constraint(op.f(REASON), "client_drafts")
    op.create_check_constraint(
        op.f(REASON),
        "client_drafts",
        "decline_reason IN ('wrongOrganization', 'notOrdered', 'unsure')",
    )
    op.drop_constraint(op.f(STATUS), "client_drafts")
    op.create_check_constraint(
        op.f(STATUS), "client_drafts", "status IN ('pending', 'confirmed', 'declined', 'expired')"
    )
    op.drop_column("client_drafts", "escalated_at")
    op.drop_column("login_sessions", "sealed_person_number")
    op.drop_column("login_attempts", "shared")
