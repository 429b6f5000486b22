"""Drafts that bring a new key to a client that there is already."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

STATUS = "ck_client_drafts_draftstatus"
REASON = "ck_client_drafts_declinereason"
KIND = "ck_notices_noticekind"


def upgrade() -> None:
    op.add_column("client_drafts", sa.Column("replaces_keys_of", sa.Uuid()))
    op.create_foreign_key(
        "fk_client_drafts_replaces_keys_of",
        "client_drafts",
        "client_configurations",
        ["replaces_keys_of"],
        ["client_id"],
    )
    op.add_column("client_drafts", sa.Column("exchange_at", sa.TIMESTAMP(timezone=True)))
    op.create_index(
        "ix_client_drafts_exchange_at",
        "client_drafts",
        ["exchange_at"],
        postgresql_where="status = 'awaitingExchange'",
    )
    op.create_index(
        "one_exchange_waits",
        "client_drafts",
        ["replaces_keys_of"],
        unique=True,
        postgresql_where="status = 'awaitingExchange'",
    )
    _check(
        STATUS,
        "client_drafts",
        "status IN ('pending', 'verifyingRight', 'awaitingActivation', 'awaitingExchange', "
        "'confirmed', 'declined', 'expired')",
    )
    _check(
        REASON,
        "client_drafts",
        "decline_reason IN ('wrongOrganization', 'notOrdered', 'unsure', 'noRight', "
        "'notVerified', 'organizationRefused', 'noLongerOffered', 'keyTaken', 'stopped')",
    )
    _check(KIND, "notices", "kind IN ('clientConfirmed', 'keysToBeReplaced', 'keysReplaced')")


def _check(name: str, table: str, condition: str) -> None:
    op.drop_constraint(op.f(name), table)
    op.create_check_constraint(op.f(name), table, condition)


def downgrade() -> None:
    op.drop_index("one_exchange_waits", "client_drafts")
    op.drop_index("ix_client_drafts_exchange_at", "client_drafts")
    op.execute("DELETE FROM client_drafts WHERE replaces_keys_of IS NOT NULL")
    op.execute("DELETE FROM notices WHERE kind <> 'clientConfirmed'")
    op.drop_column("client_drafts", "exchange_at")
    op.drop_constraint("fk_client_drafts_replaces_keys_of", "client_drafts")
    op.drop_column("client_drafts", "replaces_keys_of")
    _check(
        STATUS,
        "client_drafts",
        "status IN ('pending', 'verifyingRight', 'awaitingActivation', 'confirmed', 'declined', "
        "'expired')",
    )
    _check(
        REASON,
        "client_drafts",
        "decline_reason IN ('wrongOrganization', 'notOrdered', 'unsure', 'noRight', "
        "'notVerified', 'organizationRefused', 'noLongerOffered', 'keyTaken')",
    )
    _check(KIND, "notices", "kind IN ('clientConfirmed')")
