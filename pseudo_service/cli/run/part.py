"""One part of a run: rows of an input through the service into a durable file."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pseudo_client import (
    Client,
    DeidentifiedTable,
    PatientTable,
    Pins,
    Receipt,
    RejectedCells,
)
from pseudo_service.adapters.files.atomic import publish
from pseudo_service.cli.console.atomic_files import publish_file
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.console.progress import Progress
from pseudo_service.cli.run.row_ranges import RowRangeReader
from pseudo_service.cli.run.state import FinishedPart, PartName, RunSettings, RunState
from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import SignatureRefused
from pseudo_service.core.keys.statements import SignedStatement, check_issue
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("input", pa.int32()),
        pa.field("row", pa.int64()),
        pa.field("column", pa.string()),
        pa.field("code", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRunner:
    """Sends the parts of one run and commits them."""

    client: Client
    state: RunState
    settings: RunSettings
    operation: str
    progress: Progress
    patients: PatientTable | None = None

    def digest_input(self, reader: RowRangeReader, name: PartName) -> str:
        """Return the keyed digest of a part's input, without sending it."""
        digest = LogicalDigest(reader.schema)
        start = name.part * self.settings.part_rows
        for batch in reader.read(start, self.settings.part_rows):
            digest.update(batch)
        return self.state.digest(digest.digest())

    def run(
        self, reader: RowRangeReader, name: PartName, expected: Pins | None
    ) -> FinishedPart:
        """Send a part, write the answers, and commit it.

        Raises:
            PseudoClientError: The service refused, failed or died.
            Failure: The input is not well formed, the disk fails, or the answers
                are not what the service signed.
        """
        self.state.discard(name)
        taken = LogicalDigest(reader.schema)
        start = name.part * self.settings.part_rows
        rows = _digest_batches(reader.read(start, self.settings.part_rows), taken)
        with self.client.deidentify(
            _RangeSource(schema=reader.schema, batches=rows),
            project=self.settings.project,
            policy=self.settings.policy,
            purpose=self.settings.purpose,
            operation_id=self.operation,
            part=name.number,
            expected_pins=expected,
            patients=self.patients,
        ) as table:
            given = self._write(table, name)
            self._check(table.receipt, name, given)
            rejected = self._write_rejected(table.rejected, name, start)
        part = FinishedPart(
            name=name,
            input_digest=self.state.digest(taken.digest()),
            rows_in=table.receipt.rows_in,
            rows_out=table.receipt.rows_out,
            rejected=rejected,
            removed=dict(table.receipt.removed),
            columns={each: dict(counts) for each, counts in table.quality.items()},
            pins=table.pins.to_statement(),
            receipt=_encode_receipt(table.receipt),
        )
        publish(self.state.temporary(name), self.state.part_file(name))
        self.state.commit(part)
        return part

    def _write(self, table: DeidentifiedTable, name: PartName) -> LogicalDigest:
        """Write the answers to the part's temporary file, digesting them."""
        given = LogicalDigest(table.schema)
        path = self.state.temporary(name)
        with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
            for result in table.results():
                given.update(result.batch)
                writer.write_batch(result.batch)
                self.progress.advance(
                    result.batch.num_rows + sum(result.removed.values())
                )
        return given

    def _check(self, receipt: Receipt, name: PartName, given: LogicalDigest) -> None:
        """Refuse a receipt that is not about what was sent and received."""
        expected = {
            "project": self.settings.project,
            "operation": self.operation,
            "part": name.number,
            "rows_in": receipt.rows_in,
            "rows_out": given.rows,
            "output_digest": given.digest().hex(),
        }
        self._check_issue(receipt, name)
        statement = receipt.read_statement()
        for field, value in expected.items():
            if statement.get(field) != value:
                msg = (
                    f"{name.stem}: the receipt's {field} is not that of this part; "
                    "its rows are not kept: report it to the service's operators"
                )
                raise Failure(msg, ExitCode.REFUSED)

    def _check_issue(self, receipt: Receipt, name: PartName) -> None:
        """Refuse a receipt that nobody could verify, before its part counts as done."""
        signed = SignedStatement(
            statement=receipt.statement,
            signature=receipt.signature,
            certificate=receipt.certificate,
            certificate_signature=receipt.certificate_signature,
            certificate_key_id=receipt.certificate_key_id,
        )
        try:
            check_issue(signed, RECEIPT_FORMAT)
        except SignatureRefused as refusal:
            msg = (
                f"{name.stem}: its receipt would not verify: {refusal.message}; its rows "
                "are not kept: run it again, and if it persists have the service's "
                "clock looked at"
            )
            raise Failure(msg, ExitCode.REFUSED) from None

    def _write_rejected(
        self, rejected: Sequence[RejectedCells], name: PartName, start: int
    ) -> int:
        """Write which cells were marked, by their row in the whole input."""
        tables = [_make_cell_table(cells, name, start) for cells in rejected]
        if not tables:
            return 0
        table = pa.concat_tables(tables)
        publish_file(
            lambda path: pq.write_table(table, path, compression="zstd"),
            self.state.rejected_file(name),
            self.state.folder,
        )
        rows: int = table.num_rows
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _RangeSource:
    """Batches with a schema, as the client takes them; empty ones too."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """Return the batches; they can be read once."""
        return self.batches


def _digest_batches(
    batches: Iterator[pa.RecordBatch], digest: LogicalDigest
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        digest.update(batch)
        yield batch


def _make_cell_table(cells: RejectedCells, name: PartName, start: int) -> pa.Table:
    count = len(cells.rows)
    return pa.table(
        [
            pa.array([name.input] * count, pa.int32()),
            pc.add(pa.array(cells.rows, pa.int64()), start),
            pa.array([cells.column] * count, pa.string()),
            pa.array([cells.code] * count, pa.string()),
        ],
        schema=REJECTED_SCHEMA,
    )


def _encode_receipt(receipt: Receipt) -> dict[str, str]:
    """Return a signed receipt as JSON keeps it: texts as they are, bytes in base64."""
    return {
        "statement": receipt.statement.decode(),
        "signature": b64encode(receipt.signature).decode(),
        "certificate": receipt.certificate.decode(),
        "certificate_signature": b64encode(receipt.certificate_signature).decode(),
        "certificate_key_id": receipt.certificate_key_id,
    }
