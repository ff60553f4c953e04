"""The first tables."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make every table, and draw the identity of this database."""
    facts = op.create_table(
        "facts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
    op.bulk_insert(facts, [{"name": "database_id", "value": secrets.token_hex(16)}])
    _create_projects()
    _create_policies()
    _create_opt_outs()
    _create_register()
    _create_quotas()
    _create_audit()


def _create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("shift_unit", sa.Text, nullable=False),
        sa.Column("shift_bound", sa.Integer, nullable=False),
        sa.Column("shift_direction", sa.Text, nullable=False),
        sa.Column("opt_out_application", sa.Text, nullable=False),
        sa.Column("opt_out_legal_basis", sa.Text, nullable=False),
        sa.Column("opt_out_uncheckable", sa.Text, nullable=False),
        sa.Column("daily_quota", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_projects"),
        sa.UniqueConstraint("tag", name="uq_projects_tag"),
    )
    op.create_table(
        "key_rows",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapping_key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("check_value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("signing_key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("owner", "purpose", "version", name="pk_key_rows"),
    )


def _create_policies() -> None:
    op.create_table(
        "policies",
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("registered_at", sa.Text, nullable=False),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("project", "release", "number", name="pk_policies"),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.project_id"], name="fk_policies_project"
        ),
    )


def _create_opt_outs() -> None:
    op.create_table(
        "opt_out_lists",
        sa.Column("ordinal", Position, autoincrement=True, nullable=False),
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("loaded_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("ordinal", name="pk_opt_out_lists"),
        sa.UniqueConstraint("list_id", name="uq_opt_out_lists_list_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "opt_out_chunks",
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("chunk", sa.Integer, nullable=False),
        sa.Column("indices", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("list_id", "chunk", name="pk_opt_out_chunks"),
        sa.ForeignKeyConstraint(
            ["list_id"], ["opt_out_lists.list_id"], name="fk_opt_out_chunks_list_id"
        ),
    )


def _create_register() -> None:
    op.create_table(
        "data_keys",
        sa.Column("data_key_id", sa.Text, nullable=False),
        sa.Column("wrapping_key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("data_key_id", name="pk_data_keys"),
    )
    op.create_table(
        "segments",
        sa.Column("position", Position, autoincrement=True, nullable=False),
        sa.Column("segment_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("data_key_id", sa.Text, nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("blind_index", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_segments"),
        sa.UniqueConstraint("segment_id", name="uq_segments_segment_id"),
        sa.ForeignKeyConstraint(
            ["data_key_id"], ["data_keys.data_key_id"], name="fk_segments_data_key_id"
        ),
        sqlite_autoincrement=True,
    )


def _create_quotas() -> None:
    op.create_table(
        "quota_states",
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("caller", "project", "day", name="pk_quota_states"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("chain", "sequence", name="pk_audit_events"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("heads", sa.Text, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("signing_key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_checkpoints"),
    )
