"""Which rows must leave for their patient's opt-out, or for want of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.keyed_hash import KeyedHash
from pseudo_service.core.projects import Uncheckable

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
    """

    hash: KeyedHash = field(repr=False)
    is_allow_list: bool
    indices: npt.NDArray[np.uint8] = field(repr=False)
    uncheckable: Uncheckable
    _heads: npt.NDArray[np.uint64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_heads", read_heads(self.indices))

    @property
    def removes_uncheckable(self) -> bool:
        """Say whether rows that cannot be checked leave."""
        return _REMOVES_UNCHECKABLE[self.uncheckable]

    def find_opted_out(self, canonical: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Say of each canonical NHS number (none null) whether it must leave."""
        listed = find_listed(self.indices, self._heads, self.hash.mac(canonical))
        return ~listed if self.is_allow_list else listed


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
