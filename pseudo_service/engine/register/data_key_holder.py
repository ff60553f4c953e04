"""A register data key in hand: made when it is first needed, wrapped for linkage."""

import contextlib
import threading
from dataclasses import dataclass, field
from datetime import timedelta

from pseudo_service.core.errors import KeyVaultUnavailable
from pseudo_service.core.keys.material import KEY_BYTES, SecretKey
from pseudo_service.core.register.segments import DataKeyRow
from pseudo_service.engine.keys.key_ring import LINKAGE_KEY
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDataKey:
    """A data key and the row that a store keeps of it."""

    row: DataKeyRow
    key: SecretKey = field(repr=False)


class DataKeyHolder:
    """Makes a data key and hands it out until it is too old.

    It needs the public half of "linkage" alone.
    """

    def __init__(
        self,
        *,
        vault: KeyVault,
        clock: Clock,
        entropy: Entropy,
        lifetime: timedelta | None,
    ) -> None:
        """Make no key yet.

        Args:
            vault: Wraps with "linkage".
            clock: Dates the keys.
            entropy: Draws keys and their ids.
            lifetime: How long a key is handed out; None for ever.
        """
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._held: HeldDataKey | None = None

    def current(self) -> HeldDataKey:
        """Return the key in hand, or a fresh one.

        Raises:
            KeyVaultUnavailable: The vault does not answer and no key is in hand.
        """
        with self._lock:
            if self._held is None:
                self._held = self._make()
            elif self._is_old(self._held):
                # An outage stops no stream: the key in hand serves a while longer.
                with contextlib.suppress(KeyVaultUnavailable):
                    self._held = self._make()
            return self._held

    @property
    def rows(self) -> list[DataKeyRow]:
        """The row of the key in hand; empty where none was made."""
        held = self._held
        return [] if held is None else [held.row]

    def _is_old(self, held: HeldDataKey) -> bool:
        if self._lifetime is None:
            return False
        age = self._clock.now() - held.row.created_at
        return not timedelta(0) <= age < self._lifetime  # a clock may have been ahead

    def _make(self) -> HeldDataKey:
        key = SecretKey(self._entropy.draw(KEY_BYTES))
        wrapped = self._vault.wrap(LINKAGE_KEY, key.reveal())
        row = DataKeyRow(
            data_key_id=self._entropy.draw(16).hex(),
            wrapping_key_id=wrapped.key_id,
            wrapped=wrapped.ciphertext,
            created_at=self._clock.now(),
        )
        return HeldDataKey(row=row, key=key)
