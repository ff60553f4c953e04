"""What the client hands back, as plain values."""

import json
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa

from pseudo_client.api.v1 import common_pb2, deidentification_pb2

_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGESTS = (
    "key_check_value",
    "policy_digest",
    "opt_out_digest",
    "date_parameters_digest",
    "patient_table_digest",
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
    patient_table_digest: bytes = b""
    previous_key_version: int = 0

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
            patient_table_digest=message.patient_table_digest,
            previous_key_version=message.previous_key_version,
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
            patient_table_digest=self.patient_table_digest,
            previous_key_version=self.previous_key_version,
        )

    @classmethod
    def from_statement(cls, statement: Mapping[str, Any]) -> Self:
        """Return the pins as a receipt states them, digests in hexadecimal."""
        fields = dict(statement)
        for name in _DIGESTS:  # receipts of older services lack the newest
            fields[name] = bytes.fromhex(fields.get(name, ""))
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
            "patient_table_digest": self.patient_table_digest.hex(),
            "previous_key_version": self.previous_key_version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCells:
    """Cells that the service marked: where, and why; never what was in them.

    ``rows`` are positions in the whole table as it was sent, from 0, of 64 bits each;
    numpy reads them without a copy.
    """

    column: str
    code: str
    rows: "array[int]"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIdentifiers:
    """What a record already says of a patient, as it is written there."""

    names: tuple[str, ...] = field(default=(), repr=False)
    people: tuple[str, ...] = field(default=(), repr=False)
    dates: tuple[str, ...] = field(default=(), repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)
    postcodes: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)

    def list_values(self) -> list[str]:
        """Return everything that is known, whatever as."""
        return [value for name in self.__slots__ for value in getattr(self, name)]

    def to_message(self) -> deidentification_pb2.KnownIdentifiers:
        """Return the wire message."""
        return deidentification_pb2.KnownIdentifiers(
            **{name: getattr(self, name) for name in self.__slots__}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text to be redacted, whose it is, and what is known of that patient.

    ``patient_kind`` may be left out where the policy has one kind of patient number.
    """

    text: str = field(repr=False)
    patient: str = field(default="", repr=False)
    patient_kind: str = ""
    known: KnownIdentifiers = field(default_factory=KnownIdentifiers, repr=False)

    def is_encodable(self) -> bool:
        """Say whether UTF-8 can hold the text and all that comes with it."""
        texts = (self.text, self.patient, self.patient_kind, *self.known.list_values())
        return not any(_SURROGATE.search(each) for each in texts)

    def to_message(self) -> deidentification_pb2.TextToRedact:
        """Return the wire message."""
        return deidentification_pb2.TextToRedact(
            text=self.text,
            patient=self.patient,
            patient_kind=self.patient_kind,
            known=self.known.to_message(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedText:
    """A redacted text, or the code that says why it is withheld.

    ``patient_refusal`` is the class of a patient's number that was not accepted: the
    text was then redacted as one without a patient.
    """

    text: str | None = field(repr=False)
    withheld: str | None
    patient_refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedTexts:
    """One answer a text, in order, and what was found in them by label."""

    texts: tuple[RedactedText, ...]
    found: Mapping[str, int]


def count_by_name(counts: Iterable[common_pb2.Count]) -> dict[str, int]:
    """Return counts as a dictionary."""
    return {each.name: each.count for each in counts}
