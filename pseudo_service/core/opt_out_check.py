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

    @property
    def removes_uncheckable(self) -> bool:
        """Say whether rows that cannot be checked leave."""
        return _REMOVES_UNCHECKABLE[self.uncheckable]

    def find_opted_out(self, canonical: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Say of each canonical NHS number (none null) whether it must leave."""
        listed = contains(self.indices, self.hash.mac(canonical))
        return ~listed if self.is_allow_list else listed


def contains(
    indices: npt.NDArray[np.uint8], wanted: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Say of each wanted row (m, 16) whether it is among sorted indices (n, 16)."""
    if not len(indices) or not len(wanted):
        return np.zeros(len(wanted), dtype=np.bool_)
    # numpy compares S16 as bytes; that it ignores trailing zeros is harmless
    # between texts of one length.
    stored = np.ascontiguousarray(indices).view("S16").ravel()
    sought = np.ascontiguousarray(wanted).view("S16").ravel()
    places = np.minimum(np.searchsorted(stored, sought), len(stored) - 1)
    found: npt.NDArray[np.bool_] = stored[places] == sought
    return found
