"""Onboardings: how visits to a draft went, what the issuer knows, since when things wait."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("client_drafts", sa.Column("last_visit", sa.String(40)))
    op.create_check_constraint(
        op.f("ck_client_drafts_lastvisit"),
        "client_drafts",
        "last_visit IN ('opened', 'loginFailed', 'lacksRight', 'passedOn')",
    )
    op.add_column("client_drafts", sa.Column("last_visit_at", MOMENT))
    op.add_column(
        "client_drafts",
        sa.Column("lengthened", sa.Integer(), nullable=False, server_default="0"),
    )
    op.alter_column("client_drafts", "lengthened", server_default=None)
    op.add_column("client_configurations", sa.Column("status_since", MOMENT))
    op.add_column("scope_accesses", sa.Column("asked_at", MOMENT))
    op.add_column("claim_values", sa.Column("asked_at", MOMENT))
    op.create_table(
        "told_scopes",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_told_scopes"),
    )
    # Each client is told of once more, so that it is known what the issuer gives tokens for.
    op.execute("UPDATE publications SET wanted = wanted + 1, due_at = now()")
    op.create_table(
        "onboarding_token_versions",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_onboarding_token_versions"),
    )
    op.create_table(
        "usual_waits",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("step", "subject", name="pk_usual_waits"),
    )


def downgrade() -> None:
    op.drop_table("usual_waits")
    op.drop_table("onboarding_token_versions")
    op.drop_table("told_scopes")
    op.drop_column("claim_values", "asked_at")
    op.drop_column("scope_accesses", "asked_at")
    op.drop_column("client_configurations", "status_since")
    op.drop_column("client_drafts", "lengthened")
    op.drop_column("client_drafts", "last_visit_at")
    op.drop_column("client_drafts", "last_visit")
