"""The patient table of a stream: announced in the header, sent before the table."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.arrow import (
    TableSource,
    cut,
    open_source,
    plain_batch,
    plain_schema,
)

_BATCH_ROWS = 1 << 16
_BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTable:
    """Known identifiers of patients, read once and sent with as many tables as needed.

    Its columns are exactly those that the policy's ``patient_table`` names.
    """

    schema: pa.Schema = field(repr=False)
    batches: tuple[pa.RecordBatch, ...] = field(repr=False)
    rows: int
    digest: bytes = field(repr=False)

    @classmethod
    def read(cls, source: TableSource) -> "PatientTable":
        """Read a source into memory.

        Raises:
            SourceUnusable: It is no table.
            BatchTooLarge: One row alone has more bytes than a message may have.
        """
        schema, batches = open_source(source)
        plain = plain_schema(schema)
        pieces = tuple(
            piece
            for batch in batches
            for piece in cut(
                plain_batch(batch, source=schema, plain=plain),
                maximum_rows=_BATCH_ROWS,
                maximum_bytes=_BATCH_BYTES,
            )
        )
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece.serialize())
        return cls(
            schema=plain,
            batches=pieces,
            rows=sum(piece.num_rows for piece in pieces),
            digest=digest.digest(),
        )

    def announce(self) -> pb.PatientTable:
        """Return what the header says of it."""
        return pb.PatientTable(
            schema=self.schema.serialize().to_pybytes(),
            rows=self.rows,
            digest=self.digest,
        )

    def write_requests(self) -> Iterator[pb.DeidentifyTableRequest]:
        """Yield its messages."""
        for sequence, batch in enumerate(self.batches):
            message = pb.PatientBatch(
                sequence=sequence,
                row_count=batch.num_rows,
                data=batch.serialize().to_pybytes(),
            )
            yield pb.DeidentifyTableRequest(patients=message)
