"""Receipts: what was done to a table, stated so that others can check it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.ids import NO_KEY_VERSION, KeyVersion
from pseudo_service.core.keys.statements import encode_statement

RECEIPT_FORMAT = "pseudo/receipt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSet:
    """All that an answer depends on besides its input; fields as ``Pins`` on the wire."""

    key_version: KeyVersion
    key_check_value: bytes
    policy: str
    policy_digest: bytes
    opt_out_list: str
    opt_out_digest: bytes
    date_parameters_digest: bytes
    alias_table: str
    library_versions: Mapping[str, str]
    patient_table_digest: bytes = b""
    previous_key_version: KeyVersion = NO_KEY_VERSION

    def describe(self) -> dict[str, Any]:
        """Return the pins as a receipt states them, digests in hexadecimal."""
        return {
            "key_version": self.key_version,
            "key_check_value": self.key_check_value.hex(),
            "policy": self.policy,
            "policy_digest": self.policy_digest.hex(),
            "opt_out_list": self.opt_out_list,
            "opt_out_digest": self.opt_out_digest.hex(),
            "date_parameters_digest": self.date_parameters_digest.hex(),
            "alias_table": self.alias_table,
            "library_versions": dict(self.library_versions),
            "patient_table_digest": self.patient_table_digest.hex(),
            "previous_key_version": self.previous_key_version,
        }


def build_receipt(
    *,
    project: str,
    operation: str,
    part: int,
    purpose: str,
    issued_at: datetime,
    pins: PinSet,
    rows_in: int,
    rows_out: int,
    removed: Mapping[str, int],
    columns: Mapping[str, Mapping[str, int]],
    treatments: Mapping[str, Mapping[str, Any]],
    batches: int,
    input_digest: bytes,
    output: LogicalDigest,
    actor: str,
) -> bytes:
    """Return the statement of a finished table, ready to be signed.

    ``columns`` holds the counts of each column by code, ``treatments`` what was done
    to it (``core.tables.treatment_records``), ``removed`` the rows that left by reason,
    ``input_digest`` a keyed digest: a plain one of a small table could be searched
    for.
    """
    return encode_statement(
        {
            "format": RECEIPT_FORMAT,
            "project": project,
            "policy": pins.policy,
            "policy_digest": pins.policy_digest.hex(),
            "operation": operation,
            "part": part,
            "purpose": purpose,
            "issued_at": issued_at.isoformat(),
            "pins": pins.describe(),
            "rows_in": rows_in,
            "rows_out": rows_out,
            "removed": dict(removed),
            "columns": {name: dict(counts) for name, counts in columns.items()},
            "treatments": {name: dict(done) for name, done in treatments.items()},
            "batches": batches,
            "input_digest": input_digest.hex(),
            "output_digest": output.digest().hex(),
            "output_columns": output.columns(),
            "actor": actor,
        }
    )
