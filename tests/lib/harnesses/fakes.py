"""A clock and a source of entropy that tests hold in their hands."""

import hashlib
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is told to move."""

    def __init__(
        self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    ) -> None:
        self.time = start

    def now(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        self.time += timedelta(**parts)


class SeededEntropy:
    """Draws the same bytes for the same seed, never the same bytes twice."""

    def __init__(self, seed: str = "tests") -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def draw(self, count: int) -> bytes:
        blocks = []
        while sum(map(len, blocks)) < count:
            self._drawn += 1
            blocks.append(
                hashlib.sha256(self._seed + self._drawn.to_bytes(8, "big")).digest()
            )
        return b"".join(blocks)[:count]
