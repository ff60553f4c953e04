"""The parts of an evidence pack: a period, and tables with their explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From ``since`` until before ``until``, both with a time zone."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Return whether a moment lies within the period."""
        return moment is not None and self.since <= moment < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTable:
    """One table of the pack.

    Attributes:
        name: The name of its file.
        title: Its heading.
        evidence_for: The requirement that it is evidence for, in a sentence or two.
        headers: One for each column.
        rows: Texts, one for each column; ids, codes and counts only.
        nothing: The sentence that stands in place of the rows if there are none.
        chart: The header of a column of numbers to draw as bars; None for none.
    """

    name: str
    title: str
    evidence_for: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    nothing: str
    chart: str | None = None


def format_moment(moment: datetime | None) -> str:
    """Return a moment to the minute; None is empty. Events are in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def format_duration(duration: timedelta) -> str:
    """Return a duration in its largest units: ``3 d 4 h``, ``2 h 5 min``, ``40 s``."""
    seconds = int(duration.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
