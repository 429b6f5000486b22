"""The first schema: drafts, clients, what they may do, what the issuer has yet to be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None


REFUSE_CHANGES = """
CREATE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END$$
"""


class Xid8(sa.types.UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("client_system_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("digest", name="pk_api_keys"),
        sa.UniqueConstraint("prefix", name="uq_api_keys_prefix"),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "transaction_id", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False
        ),
        sa.Column("happened", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("details", JSONB()),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_subject", "audit_events", ["subject"])
    op.create_index("ix_audit_events_transaction_id", "audit_events", ["transaction_id"])
    op.create_table(
        "catalogue_versions",
        sa.Column("version", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("applied_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_catalogue_versions"),
    )
    op.create_table(
        "client_changes",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_client_changes"),
    )
    op.create_table(
        "client_configurations",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("client_system_id", sa.Text(), nullable=False),
        sa.Column("tenancy", sa.String(40), nullable=False),
        sa.Column("organization_number", sa.Text(), nullable=False),
        sa.Column("organization_name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("redirect_uris", ARRAY(sa.Text()), nullable=False),
        sa.Column("post_logout_redirect_uris", ARRAY(sa.Text()), nullable=False),
        sa.Column("child_organization_numbers", ARRAY(sa.Text()), nullable=False),
        sa.Column("external_ref", sa.Text()),
        sa.Column("contact_email", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_client_configurations"),
        sa.CheckConstraint(
            "status IN ('active', 'blocked', 'closed')",
            name=op.f("ck_client_configurations_clientstatus"),
        ),
        sa.CheckConstraint(
            "tenancy IN ('single-tenant', 'multi-tenant')",
            name=op.f("ck_client_configurations_tenancy"),
        ),
    )
    op.create_index(
        "ix_client_configurations_client_system_id", "client_configurations", ["client_system_id"]
    )
    op.create_index(
        "ix_client_configurations_organization_number",
        "client_configurations",
        ["organization_number"],
    )
    op.create_table(
        "client_drafts",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("client_system_id", sa.Text(), nullable=False),
        sa.Column("api_key_prefix", sa.Text(), nullable=False),
        sa.Column("organization_number", sa.Text(), nullable=False),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("public_key", JSONB(), nullable=False),
        sa.Column("pairing", sa.Boolean(), nullable=False),
        sa.Column("external_ref", sa.Text()),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("redirect_port", sa.Integer()),
        sa.Column("redirect_path", sa.Text()),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decline_reason", sa.String(40)),
        sa.PrimaryKeyConstraint("client_id", name="pk_client_drafts"),
        sa.CheckConstraint(
            "decline_reason IN ('wrongOrganization', 'notOrdered', 'unsure')",
            name=op.f("ck_client_drafts_declinereason"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'declined', 'expired')",
            name=op.f("ck_client_drafts_draftstatus"),
        ),
    )
    op.create_index(
        "ix_client_drafts_expires_at",
        "client_drafts",
        ["expires_at"],
        postgresql_where="status = 'pending'",
    )
    op.create_index(
        "ix_client_drafts_organization_number", "client_drafts", ["organization_number"]
    )
    op.create_table(
        "login_attempts",
        sa.Column("state_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("redirect_port", sa.Integer()),
        sa.Column("redirect_path", sa.Text()),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_digest", name="pk_login_attempts"),
    )
    op.create_index("ix_login_attempts_expires_at", "login_attempts", ["expires_at"])
    op.create_table(
        "login_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("security_level", sa.Integer(), nullable=False),
        sa.Column("auth_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("redirect_port", sa.Integer()),
        sa.Column("redirect_path", sa.Text()),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_login_sessions"),
    )
    op.create_index("ix_login_sessions_expires_at", "login_sessions", ["expires_at"])
    op.create_table(
        "organizations",
        sa.Column("organization_number", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("main_unit", sa.Text()),
        sa.Column("etag", sa.Text()),
        sa.Column("winding_up", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_number", name="pk_organizations"),
        sa.CheckConstraint(
            "verdict IN ('mainUnit', 'organizationalPart', 'subUnit', 'bankrupt', 'deleted', "
            "'removed', 'unknownNumber')",
            name=op.f("ck_organizations_verdict"),
        ),
    )
    op.create_table(
        "publications",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text()),
        sa.PrimaryKeyConstraint("client_id", name="pk_publications"),
    )
    op.create_index(
        "ix_publications_due_at", "publications", ["due_at"], postgresql_where="published < wanted"
    )
    op.create_table(
        "request_counts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("window_start", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "window_start", name="pk_request_counts"),
    )
    op.create_index("ix_request_counts_window_start", "request_counts", ["window_start"])
    op.create_table(
        "used_proofs",
        sa.Column("key_thumbprint", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("usable_until", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_thumbprint", "jti", name="pk_used_proofs"),
    )
    op.create_index("ix_used_proofs_usable_until", "used_proofs", ["usable_until"])
    op.create_table(
        "api_accesses",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client_configurations.client_id"], name="fk_api_accesses_client_id"
        ),
        sa.PrimaryKeyConstraint("client_id", "audience", name="pk_api_accesses"),
        sa.CheckConstraint(
            "state IN ('pending', 'granted', 'rejected', 'revoked')",
            name=op.f("ck_api_accesses_accessstate"),
        ),
    )
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["audit_events.id"], name="fk_audit_seals_event_id"),
        sa.PrimaryKeyConstraint("number", name="pk_audit_seals"),
        sa.UniqueConstraint("event_id", name="uq_audit_seals_event_id"),
    )
    op.create_table(
        "claim_values",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("claim_type", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active_value", sa.Text()),
        sa.Column("pending_value", sa.Text()),
        sa.Column("pending_refused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "active_value IS NOT NULL OR pending_value IS NOT NULL",
            name=op.f("ck_claim_values_a_value"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client_configurations.client_id"], name="fk_claim_values_client_id"
        ),
        sa.PrimaryKeyConstraint("client_id", "claim_type", name="pk_claim_values"),
    )
    op.create_table(
        "client_keys",
        sa.Column("thumbprint", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_key", JSONB(), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("active_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("retires_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("leaked_at", sa.TIMESTAMP(timezone=True)),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client_configurations.client_id"], name="fk_client_keys_client_id"
        ),
        sa.PrimaryKeyConstraint("thumbprint", name="pk_client_keys"),
        sa.UniqueConstraint("client_id", "kid", name="uq_client_keys_client_id_kid"),
        sa.CheckConstraint("origin IN ('Gui', 'Api')", name=op.f("ck_client_keys_keyorigin")),
        sa.CheckConstraint(
            "state IN ('activating', 'active', 'retiring', 'retired', 'expired', 'revoked')",
            name=op.f("ck_client_keys_keystate"),
        ),
    )
    op.create_index(
        "ix_client_keys_expires_at",
        "client_keys",
        ["expires_at"],
        postgresql_where="state IN ('activating', 'active', 'retiring')",
    )
    op.create_index(
        "ix_client_keys_retires_at",
        "client_keys",
        ["retires_at"],
        postgresql_where="state = 'retiring'",
    )
    op.create_table(
        "scope_accesses",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer()),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decide_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("decide_as", sa.String(40)),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client_configurations.client_id"], name="fk_scope_accesses_client_id"
        ),
        sa.PrimaryKeyConstraint("client_id", "scope", name="pk_scope_accesses"),
        sa.CheckConstraint(
            "decide_as IN ('approve', 'refuse')", name=op.f("ck_scope_accesses_accessevent")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'granted', 'rejected', 'revoked')",
            name=op.f("ck_scope_accesses_accessstate"),
        ),
    )
    op.create_index(
        "ix_scope_accesses_decide_at",
        "scope_accesses",
        ["decide_at"],
        postgresql_where="decide_at IS NOT NULL",
    )
    op.execute(REFUSE_CHANGES)
    for table in ("audit_events", "audit_seals"):
        op.execute(
            f"CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()"
        )


def downgrade() -> None:
    op.drop_table("scope_accesses")
    op.drop_table("client_keys")
    op.drop_table("claim_values")
    op.drop_table("audit_seals")
    op.drop_table("api_accesses")
    op.drop_table("used_proofs")
    op.drop_table("request_counts")
    op.drop_table("publications")
    op.drop_table("organizations")
    op.drop_table("login_sessions")
    op.drop_table("login_attempts")
    op.drop_table("client_drafts")
    op.drop_table("client_configurations")
    op.drop_table("client_changes")
    op.drop_table("catalogue_versions")
    op.drop_table("audit_events")
    op.drop_table("api_keys")
    op.execute("DROP FUNCTION refuse_changes()")
