"""Feeds that are followed, and the mark of organizations that can no longer act.

No event leads to `requestEscalated`: Altinn tells nobody that a request was passed on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STATE = "ck_delegations_state"
STATES = (
    "state IN ('notRequired', 'blockedOrganisation', 'unknown', 'missing', 'requestDraft', "
    "'requestPending', {escalated}'requestRejected', 'requestWithdrawn', 'requestExpired', "
    "'approvedPropagating', 'active', 'suspect', 'revoked', 'revokedSource')"
)


def upgrade() -> None:
    op.create_table(
        "followed_feeds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_followed_feeds"),
    )
    op.add_column("organizations", sa.Column("mark", sa.String(40)))
    op.add_column("organizations", sa.Column("marked_at", sa.TIMESTAMP(timezone=True)))
    op.add_column(
        "organizations",
        sa.Column("outdated", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("organizations", "outdated", server_default=None)
    op.create_check_constraint(
        op.f("ck_organizations_mark"), "organizations", "mark IN ('bankrupt', 'deleted', 'removed')"
    )
    op.create_index("ix_delegations_giver", "delegations", ["giver"])
    op.drop_constraint(op.f(STATE), "delegations")
    op.create_check_constraint(op.f(STATE), "delegations", STATES.format(escalated=""))


def downgrade() -> None:
    op.drop_constraint(op.f(STATE), "delegations")
    op.create_check_constraint(
        op.f(STATE), "delegations", STATES.format(escalated="'requestEscalated', ")
    )
    op.drop_index("ix_delegations_giver", "delegations")
    op.drop_constraint(op.f("ck_organizations_mark"), "organizations")
    op.drop_column("organizations", "outdated")
    op.drop_column("organizations", "marked_at")
    op.drop_column("organizations", "mark")
    op.drop_table("followed_feeds")
