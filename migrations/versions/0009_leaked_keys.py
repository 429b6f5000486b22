"""Notices of leaked keys."""

from alembic import op

revision = "0009"
down_revision = "0008"

KIND = "ck_notices_noticekind"


def upgrade() -> None:
    op.drop_constraint(op.f(KIND), "notices")
    op.create_check_constraint(
        op.f(KIND),
        "notices",
        "kind IN ('clientConfirmed', 'keysToBeReplaced', 'keysReplaced', 'keyLeaked')",
    )


def downgrade() -> None:
    op.execute("DELETE FROM notices WHERE kind = 'keyLeaked'")
    op.drop_constraint(op.f(KIND), "notices")
    op.create_check_constraint(
        op.f(KIND), "notices", "kind IN ('clientConfirmed', 'keysToBeReplaced', 'keysReplaced')"
    )
