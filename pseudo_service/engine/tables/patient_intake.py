"""Takes in the patient table of a stream, and holds it to what was announced."""

import hashlib
import hmac
from dataclasses import dataclass, field

import pyarrow as pa

from pseudo_service.core.errors import (
    BatchOutOfOrder,
    BatchTooLarge,
    PatientTableRefused,
)
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.policies.policy import Policy
from pseudo_service.core.tables.patient_table import PatientTable

DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedPatients:
    """What a header says of the patient table that follows it.

    ``digest`` is the SHA-256 over the bytes of its batches, in order.
    """

    schema: pa.Schema = field(repr=False)
    schema_bytes: bytes = field(repr=False)
    rows: int
    digest: bytes = field(repr=False)

    def pin(self, key: SecretKey) -> bytes:
        """Return a keyed digest of it: a plain one of few patients could be searched."""
        message = b"\x1f".join(
            (str(self.rows).encode(), self.digest, self.schema_bytes)
        )
        return hmac.digest(key.reveal(), message, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLimits:
    """The most that one patient table may hold; it stays in memory with its stream."""

    rows: int = 5_000_000
    bytes: int = 1 << 30


def check_announced(
    policy: Policy, announced: AnnouncedPatients | None, limits: PatientLimits
) -> None:
    """Refuse a table that the policy does not ask for, or the lack of one it does.

    Raises:
        PatientTableRefused: It is missing, unasked for, or has no proper digest.
        BatchTooLarge: It has more rows than are taken.
    """
    if policy.patient_table is None and announced is not None:
        msg = f"policy {policy.address} takes no patient table: leave it out"
        raise PatientTableRefused(msg)
    if policy.patient_table is not None and announced is None:
        msg = f"policy {policy.address} needs its patient table: send it ahead (pseudo run --patients FILE)"
        raise PatientTableRefused(msg)
    if announced is None:
        return
    if len(announced.digest) != DIGEST_BYTES:
        msg = "patient table: its header gives no SHA-256 of its batches"
        raise PatientTableRefused(msg)
    if announced.rows > limits.rows:
        msg = (
            f"patient table: {announced.rows} rows, at most {limits.rows} are taken; "
            "send only the patients that the notes are of"
        )
        raise BatchTooLarge(msg)


class PatientIntake:
    """Counts and digests the batches of a patient table on their way in."""

    def __init__(
        self, table: PatientTable, announced: AnnouncedPatients, limits: PatientLimits
    ) -> None:
        self.schema = announced.schema
        self._table = table
        self._announced = announced
        self._limits = limits
        self._digest = hashlib.sha256()
        self._received = 0
        self._bytes = 0
        self._is_sealed = False

    def check_next(self, sequence: int, data: bytes) -> None:
        """Count and digest a batch's bytes, before anything is decoded.

        Raises:
            BatchOutOfOrder: It was skipped, sent twice, or comes after the table's
                own batches.
            BatchTooLarge: The table has more bytes than are taken.
        """
        if self._is_sealed or sequence != self._received:
            msg = "patient table: its batches come once, in order, before the table's"
            raise BatchOutOfOrder(msg)
        self._received += 1
        self._bytes += len(data)
        if self._bytes > self._limits.bytes:
            msg = (
                f"patient table: more than {self._limits.bytes} bytes; send only the "
                "patients that the notes are of"
            )
            raise BatchTooLarge(msg)
        self._digest.update(data)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in a decoded batch.

        Raises:
            PatientTableRefused: There are more rows than announced.
        """
        self._table.add(batch)
        if self._table.rows > self._announced.rows:
            raise PatientTableRefused(_OTHER)

    def seal(self) -> None:
        """Hold what came against what was announced; the first batch waits for it.

        Raises:
            PatientTableRefused: It is another table.
        """
        if self._is_sealed:
            return
        is_same = hmac.compare_digest(self._digest.digest(), self._announced.digest)
        if self._table.rows != self._announced.rows or not is_same:
            raise PatientTableRefused(_OTHER)
        self._table.seal()
        self._is_sealed = True


_OTHER = "patient table: not the one that the header announced; send the table again"
