"""What a client sends in a table stream after its header."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPatients:
    """A batch of the patient table, as bytes; ``sequence`` counts from 0."""

    sequence: int
    row_count: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBatch:
    """A batch of the table, as bytes; ``sequence`` counts from 0."""

    sequence: int
    row_count: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEnd:
    """The end of the table: how many batches and rows were sent."""

    batches: int
    rows: int


StreamMessage = SentPatients | SentBatch | SentEnd
DecodeBatch = Callable[[bytes, pa.Schema, int], pa.RecordBatch]
"""Takes a batch's bytes, its schema and its stated rows; returns it fully validated."""
