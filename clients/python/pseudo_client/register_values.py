"""What the register's calls hand back, as plain values."""

from dataclasses import dataclass
from typing import Self

from pseudo_client.administration_values import SignedStatement
from pseudo_client.api.v1 import register_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProgress:
    """How much of the register has been read."""

    segments: int
    identities: int

    @classmethod
    def from_message(cls, message: pb.RegisterProgress) -> Self:
        """Return the value of a wire message."""
        return cls(segments=message.segments, identities=message.identities)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFault:
    """One fault, and the id of the data key, segment or disclosure it is in."""

    fault: str
    where: str

    @classmethod
    def from_message(cls, message: pb.RegisterFault) -> Self:
        """Return the value of a wire message."""
        return cls(fault=message.fault, where=message.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterVerdict:
    """What a verification found; the register is whole if ``faults`` is empty."""

    segments: int
    identities: int
    distinct_identities: int
    data_keys: int
    memberships: int
    faults: tuple[RegisterFault, ...]

    @classmethod
    def from_message(cls, message: pb.RegisterVerdict) -> Self:
        """Return the value of a wire message."""
        return cls(
            segments=message.segments,
            identities=message.identities,
            distinct_identities=message.distinct_identities,
            data_keys=message.data_keys,
            memberships=message.memberships,
            faults=tuple(RegisterFault.from_message(each) for each in message.faults),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionReport:
    """What a compaction made of the register; ``faults`` name what it left alone."""

    segments_before: int
    segments_after: int
    data_keys_before: int
    data_keys_after: int
    memberships_before: int
    memberships_after: int
    identities: int
    faults: tuple[RegisterFault, ...]

    @classmethod
    def from_message(cls, message: pb.CompactionReport) -> Self:
        """Return the value of a wire message."""
        return cls(
            segments_before=message.segments_before,
            segments_after=message.segments_after,
            data_keys_before=message.data_keys_before,
            data_keys_after=message.data_keys_after,
            memberships_before=message.memberships_before,
            memberships_after=message.memberships_after,
            identities=message.identities,
            faults=tuple(RegisterFault.from_message(each) for each in message.faults),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """How many people were taken out of the register, and how many were not in it."""

    erased: int
    not_registered: int

    @classmethod
    def from_message(cls, message: pb.EraseIdentitiesResponse) -> Self:
        """Return the value of a wire message."""
        return cls(erased=message.erased, not_registered=message.not_registered)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallReport:
    """What a recall of opt-outs found.

    ``unaccounted_operations`` names what it could not look into: operations that were
    cut off, or still run, and left no record of whom they released.
    """

    people_released: int
    people_opted_out: int
    pseudonyms: int
    opt_out_list: str
    unaccounted_operations: tuple[str, ...]

    @classmethod
    def from_message(cls, message: pb.RecallReport) -> Self:
        """Return the value of a wire message."""
        return cls(
            people_released=message.people_released,
            people_opted_out=message.people_opted_out,
            pseudonyms=message.pseudonyms,
            opt_out_list=message.opt_out_list,
            unaccounted_operations=tuple(message.unaccounted_operations),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersionMapEnd:
    """The signed statement of a map from old to new pseudonyms.

    ``unaccounted_operations`` names what the map could not look into.
    """

    statement: SignedStatement
    pairs: int
    unaccounted_operations: tuple[str, ...]

    @classmethod
    def from_message(cls, message: pb.KeyVersionMapEnd) -> Self:
        """Return the value of a wire message."""
        return cls(
            statement=SignedStatement.from_message(message.statement),
            pairs=message.pairs,
            unaccounted_operations=tuple(message.unaccounted_operations),
        )
