"""The tables. Times are ISO 8601 text, because signatures cover their exact form."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}
metadata = MetaData(naming_convention=NAMES)
Position = BigInteger().with_variant(Integer, "sqlite")
"""Grows by itself; SQLite does so only for a column of type INTEGER."""


class ZonedTime(TypeDecorator[datetime]):
    """A zoned time as the text that ``isoformat`` gives, returned unchanged.

    Key rows and checkpoints are signed over this text, so a database type that
    normalised it (or dropped the zone, as SQLite does) would break signatures.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> str | None:
        """Return the text to store; a time without a zone is a mistake."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a stored time needs a zone"
            raise ValueError(msg)
        return value.isoformat()

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> datetime | None:
        """Return the time as it was given."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("tag", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("shift_unit", Text, nullable=False),
    Column("shift_bound", Integer, nullable=False),
    Column("shift_direction", Text, nullable=False),
    Column("opt_out_application", Text, nullable=False),
    Column("opt_out_legal_basis", Text, nullable=False),
    Column("opt_out_uncheckable", Text, nullable=False),
    Column("daily_quota", BigInteger, nullable=False),
    Column("created_at", ZonedTime, nullable=False),
    Column("linkage_ceiling", Integer, nullable=False, server_default="1000"),
    Column("follows_merges", Boolean, nullable=False, server_default=false()),
    Column("overlap_until", ZonedTime),
    Column("closing_requested_by", Text),
    Column("closing_requested_at", ZonedTime),
    Column("closing_reason", Text),
    Column("closing_agreed_by", Text),
    Column("closing_agreed_at", ZonedTime),
    Column("closing_not_before", ZonedTime),
    UniqueConstraint("tag"),
)

closure_certificates = Table(
    "closure_certificates",
    metadata,
    Column("project", Text, ForeignKey("projects.project_id"), primary_key=True),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("certificate_signature", LargeBinary, nullable=False),
    Column("certificate_key_id", Text, nullable=False),
)

key_rows = Table(
    "key_rows",
    metadata,
    Column("owner", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wrapping_key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("check_value", LargeBinary, nullable=False),
    Column("created_at", ZonedTime, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    PrimaryKeyConstraint("owner", "purpose", "version"),
)

policies = Table(
    "policies",
    metadata,
    Column("project", Text, ForeignKey("projects.project_id"), nullable=False),
    Column("release", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("registered_at", ZonedTime, nullable=False),
    Column("registered_by", Text, nullable=False),
    PrimaryKeyConstraint("project", "release", "number"),
)

opt_out_lists = Table(
    "opt_out_lists",
    metadata,
    Column("ordinal", Position, primary_key=True, autoincrement=True),
    Column("list_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("loaded_at", ZonedTime, nullable=False),
    Column("expires_at", ZonedTime, nullable=False),
    UniqueConstraint("list_id"),
    sqlite_autoincrement=True,
)

opt_out_chunks = Table(
    "opt_out_chunks",
    metadata,
    Column("list_id", Text, ForeignKey("opt_out_lists.list_id"), nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("indices", LargeBinary, nullable=False),
    PrimaryKeyConstraint("list_id", "chunk"),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("data_key_id", Text, primary_key=True),
    Column("wrapping_key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", ZonedTime, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("segment_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column(
        "data_key_id",
        Text,
        ForeignKey("data_keys.data_key_id"),
        nullable=False,
        index=True,
    ),
    Column("nonce", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("blind_index", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    UniqueConstraint("segment_id"),
    sqlite_autoincrement=True,
)

disclosures = Table(
    "memberships",
    metadata,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("membership_id", Text, nullable=False),
    Column("project", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("use", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("recorded_at", ZonedTime, nullable=False),
    Column("count", Integer, nullable=False),
    Column(
        "data_key_id",
        Text,
        ForeignKey("data_keys.data_key_id"),
        nullable=False,
        index=True,
    ),
    Column("nonce", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    UniqueConstraint("membership_id"),
    sqlite_autoincrement=True,
)

alias_tables = Table(
    "alias_tables",
    metadata,
    Column("ordinal", Position, primary_key=True, autoincrement=True),
    Column("list_id", Text, nullable=False),
    Column("merged", BigInteger, nullable=False),
    Column("reissued", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("loaded_at", ZonedTime, nullable=False),
    UniqueConstraint("list_id"),
    sqlite_autoincrement=True,
)

alias_chunks = Table(
    "alias_chunks",
    metadata,
    Column("list_id", Text, ForeignKey("alias_tables.list_id"), nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("list_id", "chunk"),
)

linkage_requests = Table(
    "linkage_requests",
    metadata,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("request_id", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("project", Text, nullable=False, index=True),
    Column("target_project", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("consent_reference", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("redeemer", Text, nullable=False),
    Column("recipient_key", LargeBinary, nullable=False),
    Column("submitted_at", ZonedTime, nullable=False),
    Column("expires_at", ZonedTime, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("released_at", ZonedTime),
    UniqueConstraint("request_id"),
    sqlite_autoincrement=True,
)

linkage_subjects = Table(
    "linkage_subjects",
    metadata,
    Column(
        "request_id", Text, ForeignKey("linkage_requests.request_id"), nullable=False
    ),
    Column("subject", Text, nullable=False, index=True),
    PrimaryKeyConstraint("request_id", "subject"),
)

linkage_results = Table(
    "linkage_results",
    metadata,
    Column(
        "request_id", Text, ForeignKey("linkage_requests.request_id"), primary_key=True
    ),
    Column("sealed", LargeBinary, nullable=False),
    Column("available_until", ZonedTime, nullable=False),
)

quota_states = Table(
    "quota_states",
    metadata,
    Column("caller", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("state", LargeBinary, nullable=False),
    PrimaryKeyConstraint("caller", "project", "day"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("chain", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("chain", "sequence"),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", ZonedTime, nullable=False),
    Column("heads", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
