"""What the client hands back, as plain values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.api.v1 import common_pb2, deidentification_pb2

_DIGESTS = (
    "key_check_value",
    "policy_digest",
    "opt_out_digest",
    "date_parameters_digest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What an answer depends on besides the input; equal pins, equal answers."""

    key_version: int
    policy: str
    policy_digest: bytes
    key_check_value: bytes = b""
    opt_out_list: str = ""
    opt_out_digest: bytes = b""
    date_parameters_digest: bytes = b""
    alias_table: str = ""
    library_versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_message(cls, message: common_pb2.Pins) -> Self:
        """Return the pins of a wire message."""
        return cls(
            key_version=message.key_version,
            key_check_value=message.key_check_value,
            policy=message.policy,
            policy_digest=message.policy_digest,
            opt_out_list=message.opt_out_list,
            opt_out_digest=message.opt_out_digest,
            date_parameters_digest=message.date_parameters_digest,
            alias_table=message.alias_table,
            library_versions=dict(message.library_versions),
        )

    def to_message(self) -> common_pb2.Pins:
        """Return the wire message."""
        return common_pb2.Pins(
            key_version=self.key_version,
            key_check_value=self.key_check_value,
            policy=self.policy,
            policy_digest=self.policy_digest,
            opt_out_list=self.opt_out_list,
            opt_out_digest=self.opt_out_digest,
            date_parameters_digest=self.date_parameters_digest,
            alias_table=self.alias_table,
            library_versions=dict(self.library_versions),
        )

    @classmethod
    def from_statement(cls, statement: Mapping[str, Any]) -> Self:
        """Return the pins as a receipt states them, digests in hexadecimal."""
        fields = dict(statement)
        for name in _DIGESTS:
            fields[name] = bytes.fromhex(fields[name])
        return cls(**fields)

    def to_statement(self) -> dict[str, Any]:
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
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCells:
    """Cells that the service marked: where, and why; never what was in them.

    ``rows`` are positions in the whole table as it was sent, from 0.
    """

    column: str
    code: str
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One answer: the de-identified rows, and what left or was marked."""

    batch: pa.RecordBatch
    removed: Mapping[str, int]
    rejected: tuple[RejectedCells, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The service's signed statement about a finished table.

    ``statement`` is the exact bytes that were signed. They are checked against the
    audit public key by `pseudo manifest verify`; this client holds no such key.
    """

    statement: bytes
    signature: bytes
    certificate: bytes
    certificate_signature: bytes
    certificate_key_id: str
    rows_in: int
    rows_out: int
    removed: Mapping[str, int]
    columns: Mapping[str, Mapping[str, int]]

    @classmethod
    def from_message(cls, message: deidentification_pb2.TableReceipt) -> Self:
        """Return the receipt of a wire message."""
        signed = message.receipt
        return cls(
            statement=signed.statement,
            signature=signed.signature,
            certificate=signed.certificate,
            certificate_signature=signed.certificate_signature,
            certificate_key_id=signed.certificate_key_id,
            rows_in=message.rows_in,
            rows_out=message.rows_out,
            removed=count_by_name(message.removed),
            columns={
                each.column: count_by_name(each.counts) for each in message.columns
            },
        )

    def read_statement(self) -> dict[str, Any]:
        """Return the statement, decoded."""
        decoded: dict[str, Any] = json.loads(self.statement)
        return decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymised:
    """An identifier's pseudonym, or the class of why it has none."""

    pseudonym: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPseudonym:
    """What a check found: "OK", or which part is wrong."""

    outcome: str
    key_version: int


def count_by_name(counts: Iterable[common_pb2.Count]) -> dict[str, int]:
    """Return counts as a dictionary."""
    return {each.name: each.count for each in counts}
