"""The time of day, as an argument."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests bring their own."""

    def now(self) -> datetime:
        """Return the current time, zoned to UTC."""
        ...
