"""The register's unwrapped data keys, with those that come while it is read.

A compaction or an erasure moves people under a fresh data key, and ingestion makes
keys all the time. A reader that opened the register before must not count them as lost.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from pseudo_service.core.errors import PseudoError
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.segments import (
    DataKeyRow,
    RegisterFault,
    RegisterFaultKind,
)
from pseudo_service.ports.register import RegisterStore

_A = TypeVar("_A")
_B = TypeVar("_B")


class ParallelMap(Protocol):
    """Calls a function on many arguments, perhaps at once; yields the answers in order.

    ``map`` does it one after another, ``ThreadPoolExecutor.map`` several at a time.
    """

    def __call__(
        self, function: Callable[[_A], _B], arguments: Iterable[_A], /
    ) -> Iterator[_B]:
        """Yield the answers, or raise where one failed."""
        ...


class RegisterKeys:
    """Unwraps each data key once; ``faults`` are those that do not open."""

    def __init__(
        self,
        *,
        register: RegisterStore,
        unwrap: Callable[[DataKeyRow], SecretKey | PseudoError],
        parallel_map: ParallelMap,
    ) -> None:
        self.faults: list[RegisterFault] = []
        self._register = register
        self._unwrap = unwrap
        self._parallel_map = parallel_map
        self._tried: set[str] = set()
        self._keys: dict[str, SecretKey] = {}
        self._early: frozenset[str] | None = None

    def load(self) -> list[PseudoError]:
        """Unwrap the keys whose rows are new since the last call; return the refusals.

        Raises:
            KeyVaultUnavailable: The vault does not answer.
        """
        rows = [
            row
            for row in self._register.read_data_keys()
            if row.data_key_id not in self._tried
        ]
        refused = []
        for row, key in zip(rows, self._parallel_map(self._unwrap, rows), strict=True):
            self._tried.add(row.data_key_id)
            if isinstance(key, SecretKey):
                self._keys[row.data_key_id] = key
                continue
            refused.append(key)
            fault = RegisterFaultKind.DATA_KEY_DOES_NOT_OPEN
            self.faults.append(RegisterFault(fault=fault, where=row.data_key_id))
        if self._early is None:
            self._early = frozenset(self._keys)
        return refused

    def find(self, data_key_id: str) -> SecretKey | None:
        """Return a data key; None if there is none, or it does not open.

        Raises:
            KeyVaultUnavailable: The key is new, and the vault does not answer.
        """
        if data_key_id not in self._tried:
            self.load()
            # A key's row is committed with what it seals, so a row that is not there
            # now will not come.
            self._tried.add(data_key_id)
        return self._keys.get(data_key_id)

    def find_early(self, data_key_id: str) -> SecretKey | None:
        """Return a data key that was there when the register was opened, or None."""
        is_early = data_key_id in (self._early or ())
        return self._keys[data_key_id] if is_early else None

    def __len__(self) -> int:
        """Return how many data keys opened."""
        return len(self._keys)

    def __repr__(self) -> str:
        return "RegisterKeys(***)"
