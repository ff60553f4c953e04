"""Which rows must leave for their patient's opt-out, or for want of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.identifiers.superseded import (
    EMPTY_TABLE,
    REISSUED,
    AliasTable,
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
        indices: (n, 16) uint8, sorted, made by ``hash``.
        uncheckable: What becomes of rows without a usable NHS number.
        aliases: Merged numbers are checked as given and under their survivor, whether
            or not the project follows merges: it only ever makes more rows leave.
    """

    hash: KeyedHash = field(repr=False)
    is_allow_list: bool
    indices: npt.NDArray[np.uint8] = field(repr=False)
    uncheckable: Uncheckable
    aliases: AliasTable = EMPTY_TABLE
    _heads: npt.NDArray[np.uint64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_heads", read_heads(self.indices))

    @property
    def removes_uncheckable(self) -> bool:
        """Say whether rows that cannot be checked leave."""
        return _REMOVES_UNCHECKABLE[self.uncheckable]

    def find_opted_out(self, canonical: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Say of each canonical NHS number (none null) whether it must leave.

        Who opted out under one number has opted out. An allow list must name both
        numbers: it was asked of the old one, and may have left that one out.
        """
        opted_out = self._judge(canonical)
        targets = self.aliases.find_targets(canonical)
        is_merged = targets > REISSUED
        if is_merged.any():
            opted_out[is_merged] |= self._judge(write_numbers(targets[is_merged]))
        return opted_out

    def find_checkable(self, canonical: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Say of each canonical NHS number (none null) whether it is one person's."""
        return ~self.aliases.find_reissued(canonical)

    def _judge(self, canonical: pa.StringArray) -> npt.NDArray[np.bool_]:
        listed = find_listed(self.indices, self._heads, self.hash.mac(canonical))
        return ~listed if self.is_allow_list else listed


def list_survivors(
    indices: npt.NDArray[np.uint8], hashing: KeyedHash, aliases: AliasTable
) -> npt.NDArray[np.uint8]:
    """Return the indices of an opt-out list with survivors of its superseded numbers.

    So whoever opted out under an old number has under the new one, and under every
    other number that it superseded.
    """
    superseded, survivors = aliases.list_superseded()
    if not len(superseded):
        return indices
    listed = find_listed(indices, read_heads(indices), hashing.mac(superseded))
    if not listed.any():
        return indices
    added = hashing.mac(survivors.filter(pa.array(listed)).unique())
    return sort_indices(np.concatenate([indices, added]))


def sort_indices(indices: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return indices (n, 16) in order, each once."""
    # Bytes of fixed width sort as unsigned, whatever they hold.
    pairs = np.ascontiguousarray(indices).view(">u8").reshape(-1, 2)
    whole = np.unique(pairs, axis=0)
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 16)


def read_heads(indices: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return the first eight bytes of each index (n, 16) as a number, in order."""
    pairs = np.ascontiguousarray(indices, dtype=np.uint8).view(">u8").reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64)


def find_listed(
    indices: npt.NDArray[np.uint8],
    heads: npt.NDArray[np.uint64],
    wanted: npt.NDArray[np.uint8],
) -> npt.NDArray[np.bool_]:
    """Say of each wanted row (m, 16) whether it is among sorted indices (n, 16).

    Heads are searched as plain numbers, in their order, which stays in the cache;
    indices that share a head are compared one after another.
    """
    found = np.zeros(len(wanted), dtype=np.bool_)
    sought = read_heads(wanted)
    order = np.argsort(sought)
    places = np.searchsorted(heads, sought[order])
    while len(order):
        in_reach = places < len(heads)
        order, places = order[in_reach], places[in_reach]
        same_head = heads[places] == sought[order]
        order, places = order[same_head], places[same_head]
        found[order] |= (indices[places] == wanted[order]).all(axis=1)
        places = places + 1
    return found
