"""Counting distinct identifiers per caller, project and day.

Exact while few: a sorted set of 64-bit keyed hashes. A HyperLogLog sketch when many
(P. Flajolet et al., 2007), read with the estimator of O. Ertl, "New cardinality
estimation algorithms for HyperLogLog sketches", 2017, algorithm 6, which needs no
bias tables and no switch between ranges. Adding what was counted before changes
nothing, so a batch that is sent again is charged once.
"""

import math
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from pseudo_service.core.arrow.arrays import QuotaCodes
from pseudo_service.core.errors import QuotaExceeded, StoreUnavailable

Registers: TypeAlias = npt.NDArray[np.uint8]
"""(16,384,): the registers of a sketch, one rank each."""

EXACT_LIMIT = 4096
PRECISION = 14
REGISTERS = 1 << PRECISION
_HASH_BITS = 64 - PRECISION
_EXACT = b"\x01"
_SKETCH = b"\x02"
_USED_UP = 0.99
"""Share of a limit at which a sketch counts as used up.

A sketch cannot tell a new identifier from an old one, and at a million only one
new identifier in sixty moves it. Were a charge that moves nothing let through at
the limit, a caller could go on one identifier at a time.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuotaState:
    """What has been counted: exactly one of the two arrays is given.

    ``codes`` are distinct, sorted uint64, at most ``EXACT_LIMIT``; ``registers``
    are ``REGISTERS`` uint8.
    """

    codes: QuotaCodes | None = field(repr=False)
    registers: Registers | None = field(repr=False)

    @classmethod
    def empty(cls) -> Self:
        """Return the state of a caller who has used nothing."""
        return cls(codes=np.empty(0, np.uint64), registers=None)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the state that ``encode`` wrote.

        Raises:
            StoreUnavailable: The bytes are no state.
        """
        form, body = data[:1], data[1:]
        if form == _EXACT and len(body) % 8 == 0 and len(body) <= 8 * EXACT_LIMIT:
            codes = np.frombuffer(body, "<u8").astype(np.uint64)
            return cls(codes=codes, registers=None)
        if form == _SKETCH and len(body) == REGISTERS:
            return cls(codes=None, registers=np.frombuffer(body, np.uint8))
        msg = (
            "a stored quota state cannot be read: delete the row of this caller, "
            "project and day from quota_states, and look for what wrote it"
        )
        raise StoreUnavailable(msg)

    def encode(self) -> bytes:
        """Return the state as bytes."""
        if self.codes is not None:
            return _EXACT + self.codes.astype("<u8").tobytes()
        return _SKETCH + self._sketch().tobytes()

    @property
    def is_exact(self) -> bool:
        """Whether ``estimate`` is a count."""
        return self.codes is not None

    def add(self, codes: QuotaCodes) -> "QuotaState":
        """Return the state with more identifiers; ``self`` if none was new to it.

        Args:
            codes: (n,) uint64, keyed hashes of identifiers in any order.
        """
        if self.codes is not None:
            return self._add_exactly(codes)
        old = self._sketch()
        registers = _raise_registers(old, codes)
        if np.array_equal(registers, old):
            return self
        return QuotaState(codes=None, registers=registers)

    def estimate(self) -> int:
        """Return the number of distinct identifiers (standard error 0.8 %)."""
        if self.codes is not None:
            return len(self.codes)
        return _estimate(self._sketch())

    def admits(self, merged: "QuotaState", limit: int) -> bool:
        """Return whether ``merged``, made by ``self.add``, is within the limit."""
        if self._is_used_up(limit):
            return False
        return merged is self or merged.estimate() <= limit

    def _is_used_up(self, limit: int) -> bool:
        return not self.is_exact and self.estimate() >= _USED_UP * limit

    def _add_exactly(self, codes: QuotaCodes) -> "QuotaState":
        assert self.codes is not None  # noqa: S101 - narrows the type
        union = np.union1d(self.codes, codes.astype(np.uint64, copy=False))
        if len(union) == len(self.codes):
            return self
        if len(union) <= EXACT_LIMIT:
            return QuotaState(codes=union, registers=None)
        empty = np.zeros(REGISTERS, np.uint8)
        return QuotaState(codes=None, registers=_raise_registers(empty, union))

    def _sketch(self) -> Registers:
        assert self.registers is not None  # noqa: S101 - narrows the type
        return self.registers


def charge(
    state: QuotaState, codes: QuotaCodes, *, limit: int, project: str
) -> QuotaState:
    """Return the state after a charge; ``state`` itself if nothing changes.

    Args:
        state: What the caller has used today in the project.
        codes: (n,) uint64, keyed hashes of the call's identifiers.
        limit: The most distinct identifiers a day.
        project: Its id, for the message.

    Raises:
        QuotaExceeded: The charge would go over the limit.
    """
    merged = state.add(codes)
    if not state.admits(merged, limit):
        msg = (
            f"project {project}: this call would exceed your {limit} distinct "
            "identifiers a day; nothing was answered: continue after midnight UTC, "
            "and plan a larger quota into the next project"
        )
        raise QuotaExceeded(msg)
    return merged


def _raise_registers(registers: Registers, codes: QuotaCodes) -> Registers:
    """Return registers that have also seen ``codes``."""
    codes = codes.astype(np.uint64, copy=False)
    places = (codes >> np.uint64(_HASH_BITS)).astype(np.int64)
    rest = codes & np.uint64((1 << _HASH_BITS) - 1)
    # 50 bits fit a float64 exactly, and its exponent is their length in bits
    lengths = np.frexp(rest.astype(np.float64))[1]
    ranks = (_HASH_BITS + 1 - lengths).astype(np.uint8)
    raised = registers.copy()
    np.maximum.at(raised, places, ranks)
    return raised


def _estimate(registers: Registers) -> int:
    """Estimate by Ertl's improved raw estimator (algorithm 6)."""
    counts = np.bincount(registers, minlength=_HASH_BITS + 2)
    total = REGISTERS * _tau(1.0 - counts[_HASH_BITS + 1] / REGISTERS)
    for rank in range(_HASH_BITS, 0, -1):
        total = 0.5 * (total + float(counts[rank]))
    total += REGISTERS * _sigma(counts[0] / REGISTERS)
    return round(REGISTERS * REGISTERS / (2.0 * math.log(2.0) * total))


def _sigma(share: float) -> float:
    """Weigh the registers that saw nothing."""
    if share == 1.0:
        return math.inf
    weight, total, last = 1.0, share, math.nan
    while total != last:
        share *= share
        last = total
        total += share * weight
        weight += weight
    return total


def _tau(share: float) -> float:
    """Weigh the registers that are full."""
    if share in {0.0, 1.0}:
        return 0.0
    weight, total, last = 1.0, 1.0 - share, math.nan
    while total != last:
        share = math.sqrt(share)
        last = total
        weight *= 0.5
        total -= (1.0 - share) ** 2 * weight
    return total / 3.0
