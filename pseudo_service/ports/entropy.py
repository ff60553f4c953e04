"""Randomness, as an argument."""

from typing import Protocol


class Entropy(Protocol):
    """Draws bytes from the operating system's generator; tests bring their own."""

    def draw(self, count: int) -> bytes:
        """Return ``count`` unpredictable bytes."""
        ...
