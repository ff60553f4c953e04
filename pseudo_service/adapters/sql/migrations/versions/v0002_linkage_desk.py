"""Linkage requests, memberships, alias tables, and the end of projects."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")
CEILING_BEFORE = "1000"
"""What projects get that were made before there was a ceiling."""


def upgrade() -> None:
    """Add columns to projects, and the new tables."""
    _extend_projects()
    _create_memberships()
    _create_aliases()
    _create_requests()


def _extend_projects() -> None:
    added = (
        sa.Column(
            "linkage_ceiling", sa.Integer, nullable=False, server_default=CEILING_BEFORE
        ),
        sa.Column(
            "follows_merges", sa.Boolean, nullable=False, server_default=sa.false()
        ),
        sa.Column("overlap_until", sa.Text),
        sa.Column("closing_requested_by", sa.Text),
        sa.Column("closing_requested_at", sa.Text),
        sa.Column("closing_reason", sa.Text),
        sa.Column("closing_agreed_by", sa.Text),
        sa.Column("closing_agreed_at", sa.Text),
        sa.Column("closing_not_before", sa.Text),
    )
    for column in added:
        op.add_column("projects", column)
    op.create_table(
        "closure_certificates",
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("certificate_signature", sa.LargeBinary, nullable=False),
        sa.Column("certificate_key_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("project", name="pk_closure_certificates"),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.project_id"], name="fk_closure_certificates_project"
        ),
    )


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("position", Position, autoincrement=True, nullable=False),
        sa.Column("membership_id", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("use", sa.Text, nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("data_key_id", sa.Text, nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_memberships"),
        sa.UniqueConstraint("membership_id", name="uq_memberships_membership_id"),
        sa.ForeignKeyConstraint(
            ["data_key_id"],
            ["data_keys.data_key_id"],
            name="fk_memberships_data_key_id",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_memberships_project", "memberships", ["project"])
    # whether a data key is in use is asked for each key, when it is deleted too
    for table in ("segments", "memberships"):
        op.create_index(f"ix_{table}_data_key_id", table, ["data_key_id"])


def _create_aliases() -> None:
    op.create_table(
        "alias_tables",
        sa.Column("ordinal", Position, autoincrement=True, nullable=False),
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("merged", sa.BigInteger, nullable=False),
        sa.Column("reissued", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("loaded_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("ordinal", name="pk_alias_tables"),
        sa.UniqueConstraint("list_id", name="uq_alias_tables_list_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alias_chunks",
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("chunk", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("list_id", "chunk", name="pk_alias_chunks"),
        sa.ForeignKeyConstraint(
            ["list_id"], ["alias_tables.list_id"], name="fk_alias_chunks_list_id"
        ),
    )


def _create_requests() -> None:
    op.create_table(
        "linkage_requests",
        sa.Column("position", Position, autoincrement=True, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("target_project", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("legal_basis", sa.Text, nullable=False),
        sa.Column("consent_reference", sa.Text, nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("redeemer", sa.Text, nullable=False),
        sa.Column("recipient_key", sa.LargeBinary, nullable=False),
        sa.Column("submitted_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("released_at", sa.Text),
        sa.PrimaryKeyConstraint("position", name="pk_linkage_requests"),
        sa.UniqueConstraint("request_id", name="uq_linkage_requests_request_id"),
        sqlite_autoincrement=True,
    )
    for column in ("project", "target_project"):
        op.create_index(f"ix_linkage_requests_{column}", "linkage_requests", [column])
    op.create_table(
        "linkage_subjects",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "subject", name="pk_linkage_subjects"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["linkage_requests.request_id"],
            name="fk_linkage_subjects_request_id",
        ),
    )
    op.create_index("ix_linkage_subjects_subject", "linkage_subjects", ["subject"])
    op.create_table(
        "linkage_results",
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("available_until", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_linkage_results"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["linkage_requests.request_id"],
            name="fk_linkage_results_request_id",
        ),
    )
