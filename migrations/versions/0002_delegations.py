"""Delegations in Altinn: their states, when they are asked about, how often Altinn is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SOURCES = "IN ('maskinportenDelegations', 'pdp', 'authorizedParties')"


def upgrade() -> None:
    op.create_table(
        "altinn_budgets",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("calls", sa.Float(), nullable=False),
        sa.Column("counted_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("product", name="pk_altinn_budgets"),
    )
    op.create_table(
        "delegations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("not_seen_after_approval", sa.Boolean(), nullable=False),
        sa.Column("first_no_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("first_no_by", sa.String(40)),
        sa.Column("request_id", sa.Text()),
        sa.Column("request_link", sa.Text()),
        sa.Column("requested_at", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_delegations"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client_configurations.client_id"],
            name="fk_delegations_client_id",
        ),
        sa.UniqueConstraint(
            "client_id",
            "right",
            "giver",
            "receiver",
            name="uq_delegations_client_id_right_giver_receiver",
        ),
        sa.CheckConstraint(
            "state IN ('notRequired', 'blockedOrganisation', 'unknown', 'missing', "
            "'requestDraft', 'requestPending', 'requestEscalated', 'requestRejected', "
            "'requestWithdrawn', 'requestExpired', 'approvedPropagating', 'active', 'suspect', "
            "'revoked', 'revokedSource')",
            name=op.f("ck_delegations_state"),
        ),
        sa.CheckConstraint(f"first_no_by {SOURCES}", name=op.f("ck_delegations_source")),
    )
    op.create_table(
        "delegation_polls",
        sa.Column("delegation_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("source", sa.String(40)),
        sa.Column("decision", sa.Text()),
        sa.Column("request_ref", sa.Text()),
        sa.Column("watched_since", sa.TIMESTAMP(timezone=True)),
        sa.Column("watched_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("delegation_id", name="pk_delegation_polls"),
        sa.ForeignKeyConstraint(
            ["delegation_id"],
            ["delegations.id"],
            name="fk_delegation_polls_delegation_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(f"source {SOURCES}", name=op.f("ck_delegation_polls_source")),
    )
    op.create_index(
        "ix_delegation_polls_due_at",
        "delegation_polls",
        ["due_at"],
        postgresql_where="due_at IS NOT NULL",
    )
    op.create_index(
        "ix_delegation_polls_watched_until",
        "delegation_polls",
        ["watched_until"],
        postgresql_where="watched_until IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_table("delegation_polls")
    op.drop_table("delegations")
    op.drop_table("altinn_budgets")
