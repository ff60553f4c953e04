"""Pins, counts and receipts of tables to wire messages and back."""

from collections.abc import Mapping, Sequence

from pseudo_service.api.v1 import common_pb2 as common
from pseudo_service.api.v1 import deidentification_pb2 as deidentification
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.tables.quality import Counts, RejectedCells
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.tables.table_stream import FinishedTable
from pseudo_service.transport.codecs.fields import encode_statement


def encode_pins(pins: PinSet) -> common.Pins:
    """Return what an answer depends on."""
    return common.Pins(
        key_version=pins.key_version,
        key_check_value=pins.key_check_value,
        policy=pins.policy,
        policy_digest=pins.policy_digest,
        opt_out_list=pins.opt_out_list,
        opt_out_digest=pins.opt_out_digest,
        date_parameters_digest=pins.date_parameters_digest,
        alias_table=pins.alias_table,
        library_versions=dict(pins.library_versions),
        patient_table_digest=pins.patient_table_digest,
        previous_key_version=pins.previous_key_version,
    )


def decode_pins(message: common.Pins) -> PinSet:
    """Return the pins that a client expects."""
    return PinSet(
        key_version=KeyVersion(message.key_version),
        key_check_value=message.key_check_value,
        policy=message.policy,
        policy_digest=message.policy_digest,
        opt_out_list=message.opt_out_list,
        opt_out_digest=message.opt_out_digest,
        date_parameters_digest=message.date_parameters_digest,
        alias_table=message.alias_table,
        library_versions=dict(message.library_versions),
        patient_table_digest=message.patient_table_digest,
        previous_key_version=KeyVersion(message.previous_key_version),
    )


def encode_counts(counts: Mapping[str, int]) -> list[common.Count]:
    """Return counts by name, in the order of the names."""
    return [
        common.Count(name=name, count=count) for name, count in sorted(counts.items())
    ]


def encode_column_counts(columns: Counts) -> list[common.ColumnCounts]:
    """Return the counts of every column."""
    return [
        common.ColumnCounts(column=column, counts=encode_counts(counts))
        for column, counts in columns.items()
    ]


def encode_rejected(
    rejected: Sequence[RejectedCells],
) -> list[deidentification.RejectedCells]:
    """Return the positions of marked cells."""
    return [
        deidentification.RejectedCells(
            column=cells.column, code=cells.code, rows=cells.rows.tolist()
        )
        for cells in rejected
    ]


def encode_receipt(
    finished: FinishedTable,
) -> deidentification.DeidentifyTableResponse:
    """Return the receipt of a table and its totals."""
    return deidentification.DeidentifyTableResponse(
        receipt=deidentification.TableReceipt(
            receipt=encode_statement(finished.receipt),
            rows_in=finished.rows_in,
            rows_out=finished.rows_out,
            removed=encode_counts(finished.removed),
            columns=encode_column_counts(finished.columns),
        )
    )
