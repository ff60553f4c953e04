"""The audit trail: events, hash chains, checkpoints, and their verification.

One chain a writing process, so that workers do not queue for each other. A
checkpoint joins the heads of all chains and is signed; copies outside the
database make removal, edit, reordering and forks evident up to the last copy.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EMPTY_CHAIN = bytes(32)
Detail = str | int | bool | None


class AuditKind(StrEnum):
    """What happened; an ``*_INTENT`` precedes its answer, a result follows it."""

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
    TABLE_FINISHED = "table_finished"
    TABLE_FAILED = "table_failed"
    VALUES_INTENT = "values_intent"
    CALL_REFUSED = "call_refused"
    AUDIT_EXPORTED = "audit_exported"


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


class AuditFault(StrEnum):
    """What a verification can find."""

    EVENT_EDITED = "event_edited"
    EVENT_MISSING = "event_missing"
    EVENT_REORDERED = "event_reordered"
    CHAIN_FORKED = "chain_forked"
    CHAIN_TRUNCATED = "chain_truncated"
    CHECKPOINT_MISSING = "checkpoint_missing"
    CHECKPOINT_EDITED = "checkpoint_edited"
    CHECKPOINT_SIGNATURE = "checkpoint_signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One fault and where it is."""

    fault: AuditFault
    chain: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """The outcome of a verification; sound when ``findings`` is empty."""

    findings: tuple[AuditFinding, ...]
    events: int
    chains: int
    checkpoints: int
    unanchored_events: int
    anchored_until: datetime | None


def verify_chain(
    events: Iterable[RecordedEvent],
) -> tuple[list[AuditFinding], dict[int, bytes]]:
    """Recompute one chain, given in stored order.

    Returns:
        The faults, and the digest at each sequence, for the checkpoints.
    """
    findings: list[AuditFinding] = []
    digests: dict[int, bytes] = {0: EMPTY_CHAIN}
    last = 0
    for event in events:
        fault = _examine(event, last=last, digests=digests)
        if fault is not None:
            findings.append(
                AuditFinding(fault=fault, chain=event.chain, sequence=event.sequence)
            )
        digests.setdefault(event.sequence, event.digest)
        last = max(last, event.sequence)
    return findings, digests


def _examine(
    event: RecordedEvent, *, last: int, digests: Mapping[int, bytes]
) -> AuditFault | None:
    if event.sequence in digests:
        return AuditFault.CHAIN_FORKED
    if event.sequence > last + 1:
        return AuditFault.EVENT_MISSING
    if event.sequence < last + 1:
        return AuditFault.EVENT_REORDERED
    expected = hash_event(event.chain, event.sequence, event.previous, event.body)
    if event.digest != expected:
        return AuditFault.EVENT_EDITED
    if event.previous != digests[last]:
        return AuditFault.EVENT_REORDERED
    return None
