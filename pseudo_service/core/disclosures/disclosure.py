"""The people whom an operation released, as sets of blind-index prefixes.

A prefix is the first 8 bytes of a blind index as an integer: enough to tell people
apart (two of 60 million share one with a chance of one in 10,000, and then one too
many is named), and nothing to anybody without the blind-index key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from pseudo_service.core.arrow.arrays import Mask, Places, Prefixes
from pseudo_service.core.arrow.sorted_macs import NO_PREFIXES, find_sorted
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId

MOST_MEMBERS = 1_000_000
"""The most people in one disclosure; more are cut into several."""
NO_OPERATION: Final = OperationId("")
"""The operation of disclosures of unary calls, and of those merged by compaction."""


class DisclosureUse(StrEnum):
    """What was answered of a person.

    PSEUDONYM: a pseudonym; DATES: only shifted dates or surrogates.
    """

    PSEUDONYM = "pseudonym"
    DATES = "dates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The people of one kind that one operation released in a project, sealed.

    Sealed like a register segment under a data key, so that only the linkage identity
    reads it. ``count`` is the number of distinct people.
    """

    disclosure_id: str
    project: ProjectId
    kind: str
    use: DisclosureUse
    key_version: KeyVersion
    operation: OperationId
    recorded_at: datetime
    count: int
    data_key_id: str
    nonce: bytes
    sealed: bytes = field(repr=False)
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DisclosedPeople:
    """Distinct people in order of their prefixes; four arrays of one length.

    Attributes:
        prefixes: uint64, strictly increasing.
        operations: uint32, in how many operations each was released.
        first: uint32, when first, in seconds since 1970.
        last: uint32, when last.
    """

    prefixes: Prefixes = field(repr=False)
    operations: npt.NDArray[np.uint32] = field(repr=False)
    first: npt.NDArray[np.uint32] = field(repr=False)
    last: npt.NDArray[np.uint32] = field(repr=False)

    @classmethod
    def of_one_operation(cls, prefixes: Prefixes, at: datetime) -> "DisclosedPeople":
        """Return people whom one operation released at one time.

        Args:
            prefixes: Sorted and distinct.
            at: When; whole seconds are kept.
        """
        second = np.broadcast_to(np.uint32(int(at.timestamp())), prefixes.shape)
        once = np.broadcast_to(np.uint32(1), prefixes.shape)
        return cls(prefixes, once, second, second)

    def __len__(self) -> int:
        return len(self.prefixes)

    def find(self, prefixes: Prefixes) -> tuple[Mask, Places]:
        """Say of each prefix whether it is a member's, and at which place.

        The place of one that is not means nothing.
        """
        return find_sorted(self.prefixes, prefixes)

    def without(self, prefixes: Prefixes) -> "DisclosedPeople":
        """Return the members without some people, who need not be among them."""
        return self._select(~np.isin(self.prefixes, prefixes))

    def cut(self, most: int = MOST_MEMBERS) -> Iterator["DisclosedPeople"]:
        """Yield the members in runs of at most ``most``."""
        for start in range(0, len(self), most):
            yield self._select(slice(start, start + most))

    def _select(self, which: "slice | Mask") -> "DisclosedPeople":
        return DisclosedPeople(
            self.prefixes[which],
            self.operations[which],
            self.first[which],
            self.last[which],
        )


def merge_members(
    parts: Sequence[DisclosedPeople], *, same_operation: bool = False
) -> DisclosedPeople:
    """Return everybody of several sets, with the sum of their operations.

    Merge what belongs to one project, kind, use and key version.

    Args:
        parts: The sets; they may overlap.
        same_operation: They are of one operation, which counts once.
    """
    prefixes = np.concatenate([part.prefixes for part in parts] or [NO_PREFIXES])
    order = np.argsort(prefixes, kind="stable")
    prefixes = prefixes[order]
    starts = np.flatnonzero(np.diff(prefixes, prepend=~prefixes[:1]))
    counting = np.maximum if same_operation else np.add

    def reduce(name: str, how: np.ufunc) -> npt.NDArray[np.uint32]:
        column = np.concatenate(
            [getattr(part, name) for part in parts] or [np.zeros(0, np.uint32)]
        )
        if not len(starts):
            return column
        reduced: npt.NDArray[np.uint32] = how.reduceat(column[order], starts)
        return reduced.astype(np.uint32, copy=False)

    return DisclosedPeople(
        prefixes[starts],
        reduce("operations", counting),
        reduce("first", np.minimum),
        reduce("last", np.maximum),
    )
