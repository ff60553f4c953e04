"""What the register's maintenance reports while it goes on, and at its end."""

from dataclasses import dataclass

from pseudo_service.core.register.segments import RegisterFault


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProgress:
    """How much of the register has been read."""

    segments: int
    identities: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterVerdict:
    """What a verification found; the register is whole when ``faults`` is empty.

    ``identities`` are those that agree with their blind index, duplicates included.
    """

    segments: int
    identities: int
    distinct_identities: int
    data_keys: int
    disclosures: int
    faults: tuple[RegisterFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionReport:
    """What a compaction made of the register.

    ``identities`` are those in the new segments, each once. ``faults`` name what was
    left as it is, because it does not open or does not agree.
    """

    segments_before: int
    segments_after: int
    data_keys_before: int
    data_keys_after: int
    disclosures_before: int
    disclosures_after: int
    identities: int
    faults: tuple[RegisterFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """How many of the people named were taken out, and how many were not there."""

    erased: int
    not_registered: int
