"""Which rows must leave: their patient opted out, or cannot be checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa

from pseudo_service.core.arrow.arrays import Mask
from pseudo_service.core.arrow.sorted_macs import MacWords, SortedMacs
from pseudo_service.core.identifiers.superseded import (
    NO_SUPERSEDED_NUMBERS,
    REISSUED,
    SupersededNumbers,
    write_numbers,
)
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash

_REMOVES_UNCHECKABLE: Mapping[Uncheckable, bool] = MappingProxyType(
    {Uncheckable.REMOVE: True, Uncheckable.KEEP: False}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutCheck:
    """A loaded list, and the keyed hash under which it was stored.

    Attributes:
        hash: The opt-out index key, for the kind ``nhs_number``.
        is_allow_list: Whether the list names those who stay, not those who go.
        listed: The numbers of the list, as MACs made by ``hash``.
        uncheckable: What becomes of rows without a usable NHS number.
        superseded: Merged numbers are checked as given and under their survivor, even
            where the project follows no merges: that only makes more rows leave.
    """

    hash: KeyedHash = field(repr=False)
    is_allow_list: bool
    listed: SortedMacs = field(repr=False)
    uncheckable: Uncheckable
    superseded: SupersededNumbers = NO_SUPERSEDED_NUMBERS

    @property
    def removes_uncheckable(self) -> bool:
        """Whether rows that cannot be checked leave."""
        return _REMOVES_UNCHECKABLE[self.uncheckable]

    def find_opted_out(self, canonical: pa.StringArray) -> Mask:
        """Say of each canonical NHS number (none null) whether it must leave.

        A person who opted out under one number has opted out. An allow list must name
        both numbers: a list asked for the old number may have left that one out.
        """
        opted_out = self._must_leave(canonical)
        targets = self.superseded.find_targets(canonical)
        is_merged = targets > REISSUED
        if is_merged.any():
            opted_out[is_merged] |= self._must_leave(write_numbers(targets[is_merged]))
        return opted_out

    def find_checkable(self, canonical: pa.StringArray) -> Mask:
        """Say of each canonical NHS number (none null) whether it is one person's."""
        return ~self.superseded.find_reissued(canonical)

    def _must_leave(self, canonical: pa.StringArray) -> Mask:
        is_listed = self.listed.contains(MacWords.read(self.hash.mac(canonical)))
        return ~is_listed if self.is_allow_list else is_listed


def add_survivors(
    listed: SortedMacs, hashing: KeyedHash, superseded: SupersededNumbers
) -> SortedMacs:
    """Return an opt-out list with the survivors of its superseded numbers.

    A person who opted out under an old number has opted out under the number that
    replaced it, and under every other number that the new one replaced.
    """
    former, survivors = superseded.list_superseded()
    if not len(former):
        return listed
    is_listed = listed.contains(MacWords.read(hashing.mac(former)))
    if not is_listed.any():
        return listed
    added = hashing.mac(survivors.filter(pa.array(is_listed)).unique())
    return listed.merge(SortedMacs.build(added))
