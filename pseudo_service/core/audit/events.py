"""The audit trail: events, hash chains and checkpoints.

Each writing process has its own chain, so that workers do not wait for each other. A
signed checkpoint joins the heads of all chains. Its copies outside the database make
removal, editing, reordering and forks evident up to the last copy.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pseudo_service.core.errors import AuditBroken

EMPTY_CHAIN = bytes(32)
BETWEEN: Final = ","
"""Separates the projects of a guardian, and subject codes, in one detail."""
CODES_AN_EVENT: Final = 100
"""The most subject codes that one event lists."""
Detail = str | int | bool | None
_UNREADABLE = (
    "an audit checkpoint cannot be read: it was edited or cut off; compare the copies "
    "in the database and in the archive"
)


class AuditKind(StrEnum):
    """The kind of an event; an ``*_INTENT`` precedes an answer, a result follows it.

    REGISTER_REWRITTEN is one step of a compaction or erasure that goes on.
    """

    SERVICE_STARTED = "service_started"
    PROJECT_CREATED = "project_created"
    PROJECT_SUSPENDED = "project_suspended"
    PROJECT_RESUMED = "project_resumed"
    KEY_CREATED = "key_created"
    KEY_ROTATED = "key_rotated"
    POLICY_REGISTERED = "policy_registered"
    OPT_OUTS_LOADED = "opt_outs_loaded"
    DATA_KEY_CREATED = "data_key_created"
    TABLE_OPENED = "table_opened"
    BATCH_INTENT = "batch_intent"
    DISCLOSURE_RECORDED = "membership_recorded"
    TABLE_FINISHED = "table_finished"
    TABLE_FAILED = "table_failed"
    VALUES_INTENT = "values_intent"
    TEXTS_INTENT = "texts_intent"
    CALL_REFUSED = "call_refused"
    AUDIT_EXPORTED = "audit_exported"
    AUDIT_READ = "audit_read"
    ORACLE_SUSPECTED = "oracle_suspected"
    LINKAGE_SUBMITTED = "linkage_submitted"
    LINKAGE_REVIEWED = "linkage_reviewed"
    LINKAGE_WITHDRAWN = "linkage_withdrawn"
    LINKAGE_RELEASE_INTENT = "linkage_release_intent"
    LINKAGE_SUBJECTS = "linkage_subjects"
    LINKAGE_RELEASED = "linkage_released"
    LINKAGE_FETCHED = "linkage_fetched"
    LINKAGE_REFUSED = "linkage_refused"
    SUBJECT_TRACED = "subject_traced"
    REGISTER_VERIFY_INTENT = "register_verify_intent"
    REGISTER_VERIFIED = "register_verified"
    REGISTER_COMPACT_INTENT = "register_compact_intent"
    REGISTER_COMPACTED = "register_compacted"
    REGISTER_REWRITTEN = "register_rewritten"
    IDENTITIES_ERASE_INTENT = "identities_erase_intent"
    IDENTITIES_ERASED = "identities_erased"
    RECALL_INTENT = "recall_intent"
    RECALLED = "recalled"
    KEY_MAP_INTENT = "key_map_intent"
    KEY_MAPPED = "key_mapped"
    SUPERSEDED_LOADED = "aliases_loaded"
    PROJECT_CLOSING = "project_closing"
    PROJECT_CLOSING_AGREED = "project_closing_agreed"
    PROJECT_CLOSING_CANCELLED = "project_closing_cancelled"
    PROJECT_DESTROY_INTENT = "project_destroy_intent"
    PROJECT_DESTROYED = "project_destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """A fact to record: ids, counts, keyed digests and codes; no identifiers."""

    kind: AuditKind
    at: datetime
    actor: str
    project: str | None = None
    operation: str | None = None
    details: Mapping[str, Detail]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event in its place in a chain. ``body`` is canonical JSON."""

    chain: str
    sequence: int
    body: str
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ChainHead:
    """The last event of a chain at some moment."""

    chain: str
    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The heads of all chains, signed by the vault's "audit" key.

    ``number`` counts from 1 and ``previous`` is the digest of the checkpoint
    before (``EMPTY_CHAIN`` for the first).
    """

    number: int
    at: datetime
    heads: tuple[ChainHead, ...]
    previous: bytes
    signing_key_id: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        return describe_checkpoint(
            number=self.number,
            at=self.at,
            heads=self.heads,
            previous=self.previous,
            signing_key_id=self.signing_key_id,
        )

    def digest(self) -> bytes:
        """Return what the next checkpoint names as its predecessor."""
        return hashlib.sha256(self.signed_bytes()).digest()


def describe_checkpoint(
    *,
    number: int,
    at: datetime,
    heads: Sequence[ChainHead],
    previous: bytes,
    signing_key_id: str,
) -> bytes:
    """Return a checkpoint's canonical bytes."""
    statement = {
        "format": "pseudo/checkpoint/v1",
        "number": number,
        "at": at.isoformat(),
        "heads": [[h.chain, h.sequence, h.digest.hex()] for h in sorted(heads)],
        "previous": previous.hex(),
        "signing_key_id": signing_key_id,
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def encode_heads(heads: Sequence[ChainHead]) -> str:
    """Return heads as JSON, in the order given."""
    return json.dumps(
        [[head.chain, head.sequence, head.digest.hex()] for head in heads],
        separators=(",", ":"),
    )


def decode_heads(text: str) -> tuple[ChainHead, ...]:
    """Return the heads that ``encode_heads`` wrote.

    Raises:
        AuditBroken: The text is no list of heads.
    """
    try:
        return tuple(_decode_head(fields) for fields in json.loads(text))
    except (ValueError, TypeError):
        raise AuditBroken(_UNREADABLE) from None


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """Return a checkpoint, signature included, as one line of JSON."""
    statement = json.loads(checkpoint.signed_bytes())
    statement["heads"] = json.loads(encode_heads(checkpoint.heads))
    statement["signature"] = checkpoint.signature.hex()
    return json.dumps(statement, sort_keys=True, separators=(",", ":")) + "\n"


def decode_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that ``encode_checkpoint`` wrote.

    Raises:
        AuditBroken: The text differs from that, even by one character.
    """
    try:
        statement = json.loads(text)
        checkpoint = Checkpoint(
            number=statement["number"],
            at=datetime.fromisoformat(statement["at"]),
            heads=tuple(_decode_head(fields) for fields in statement["heads"]),
            previous=bytes.fromhex(statement["previous"]),
            signing_key_id=statement["signing_key_id"],
            signature=bytes.fromhex(statement["signature"]),
        )
    except (ValueError, TypeError, KeyError):
        raise AuditBroken(_UNREADABLE) from None
    if encode_checkpoint(checkpoint) != text:
        raise AuditBroken(_UNREADABLE)
    return checkpoint


def _decode_head(fields: Any) -> ChainHead:
    chain, sequence, digest = fields
    if not (isinstance(chain, str) and type(sequence) is int):
        raise TypeError
    return ChainHead(chain=chain, sequence=sequence, digest=bytes.fromhex(digest))


def encode_event(event: AuditEvent) -> str:
    """Return the event's canonical JSON: sorted keys, no white space."""
    return json.dumps(
        {
            "kind": event.kind.value,
            "at": event.at.isoformat(),
            "actor": event.actor,
            "project": event.project,
            "operation": event.operation,
            "details": dict(event.details),
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def link(head: ChainHead, event: AuditEvent) -> RecordedEvent:
    """Return the event as the next of its chain."""
    body = encode_event(event)
    sequence = head.sequence + 1
    return RecordedEvent(
        chain=head.chain,
        sequence=sequence,
        body=body,
        previous=head.digest,
        digest=hash_event(head.chain, sequence, head.digest, body),
    )


def hash_event(chain: str, sequence: int, previous: bytes, body: str) -> bytes:
    """Return the digest that binds an event to its place and predecessor."""
    prefix = f"pseudo/audit/v1\x1f{chain}\x1f{sequence}\x1f".encode()
    return hashlib.sha256(prefix + previous + body.encode()).digest()


def start_chain(chain: str) -> ChainHead:
    """Return the head of a chain before its first event."""
    return ChainHead(chain=chain, sequence=0, digest=EMPTY_CHAIN)


CHECKPOINTS_INSIDE = "checkpoints in the database"
CHECKPOINTS_OUTSIDE = "checkpoints in the archive"


class AuditFault(StrEnum):
    """The faults that a verification can find.

    EVENT_EDITED: the event's digest does not fit its content and its place.
    EVENT_MISSING: a place in the chain is empty.
    EVENT_REORDERED: an event comes after one with a higher sequence.
    LINK_BROKEN: the event does not continue the one before it; one of the two was
    replaced.
    CHAIN_FORKED: two events claim one place, or the event at a checkpointed place
    is not the one that the checkpoint names.
    CHAIN_TRUNCATED: the chain ends before a place that a checkpoint names.
    CHECKPOINT_MISSING: a number is absent where later ones exist.
    CHECKPOINT_EDITED: the two copies differ, or it does not continue the one before.
    CHECKPOINT_SIGNATURE: the signature does not verify.
    """

    EVENT_EDITED = "event_edited"
    EVENT_MISSING = "event_missing"
    EVENT_REORDERED = "event_reordered"
    LINK_BROKEN = "link_broken"
    CHAIN_FORKED = "chain_forked"
    CHAIN_TRUNCATED = "chain_truncated"
    CHECKPOINT_MISSING = "checkpoint_missing"
    CHECKPOINT_EDITED = "checkpoint_edited"
    CHECKPOINT_SIGNATURE = "checkpoint_signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One fault and where it is.

    For faults of checkpoints ``chain`` is ``CHECKPOINTS_INSIDE`` or
    ``CHECKPOINTS_OUTSIDE`` and ``sequence`` the checkpoint's number.
    """

    fault: AuditFault
    chain: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """The outcome of a verification; sound when ``findings`` is empty.

    ``anchored_until`` is the time of the last checkpoint outside the database.
    ``unanchored_events`` counts the events after it; nothing proves yet that no further
    events were removed behind them.
    """

    findings: tuple[AuditFinding, ...]
    events: int
    chains: int
    checkpoints: int
    unanchored_events: int
    anchored_until: datetime | None
