"""What is swept is found by an index, and each count says when it is over."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # The longest window is a day. Instances of the version before go on, and do not say it.
    op.add_column(
        "request_counts",
        sa.Column(
            "window_end",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now() + interval '1 day'"),
            nullable=False,
        ),
    )
    op.drop_index("ix_request_counts_window_start", "request_counts")
    op.create_index("ix_request_counts_window_end", "request_counts", ["window_end"])
    op.create_index(
        "ix_client_drafts_over_since",
        "client_drafts",
        [sa.text("coalesce(decided_at, expires_at)")],
        postgresql_where="status <> 'pending'",
    )
    op.create_index(
        "ix_client_drafts_replaces_keys_of",
        "client_drafts",
        ["replaces_keys_of"],
        postgresql_where="replaces_keys_of IS NOT NULL",
    )
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    op.create_index("ix_organizations_checked_at", "organizations", ["checked_at"])
    op.create_index(
        "ix_audit_events_delegations",
        "audit_events",
        ["at"],
        postgresql_where="happened = 'delegation.changed'",
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_delegations", "audit_events")
    op.drop_index("ix_organizations_checked_at", "organizations")
    op.drop_index("ix_notices_created_at", "notices")
    op.drop_index("ix_client_drafts_replaces_keys_of", "client_drafts")
    op.drop_index("ix_client_drafts_over_since", "client_drafts")
    op.drop_index("ix_request_counts_window_end", "request_counts")
    op.create_index("ix_request_counts_window_start", "request_counts", ["window_start"])
    op.drop_column("request_counts", "window_end")
