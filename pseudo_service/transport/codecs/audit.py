"""Events and checkpoints of the audit trail to wire messages."""

from pseudo_service.api.v1 import common_pb2 as common
from pseudo_service.core.audit.events import ChainHead, Checkpoint, RecordedEvent
from pseudo_service.transport.codecs.fields import encode_time


def encode_event(event: RecordedEvent) -> common.RecordedEvent:
    """Return an event in its place."""
    return common.RecordedEvent(
        chain=event.chain,
        sequence=event.sequence,
        body=event.body,
        previous=event.previous,
        digest=event.digest,
    )


def encode_checkpoint(checkpoint: Checkpoint) -> common.Checkpoint:
    """Return a checkpoint."""
    return common.Checkpoint(
        number=checkpoint.number,
        at=encode_time(checkpoint.at),
        heads=[_encode_head(head) for head in checkpoint.heads],
        previous=checkpoint.previous,
        signing_key_id=checkpoint.signing_key_id,
        signature=checkpoint.signature,
    )


def _encode_head(head: ChainHead) -> common.Checkpoint.Head:
    return common.Checkpoint.Head(
        chain=head.chain, sequence=head.sequence, digest=head.digest
    )
