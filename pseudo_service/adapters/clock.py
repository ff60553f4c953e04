"""The system's clock: the only place that reads it."""

from datetime import UTC, datetime


class SystemClock:
    """The time of day as the operating system tells it."""

    def now(self) -> datetime:
        """Return the current time, zoned to UTC."""
        return datetime.now(UTC)
