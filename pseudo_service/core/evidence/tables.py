"""What an evidence pack consists of: a period, and tables that say what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From ``since`` until before ``until``, both with a time zone."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Tell whether a moment lies within."""
        return moment is not None and self.since <= moment < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTable:
    """One table of the pack.

    Attributes:
        name: What its file is called.
        title: Its heading.
        evidence_for: What it shows to whom, in one sentence or two.
        headers: One a column.
        rows: Text, cell by cell; ids, codes and counts only.
        nothing: What it means that there are no rows.
        chart: The header of a column of numbers to draw as bars; None for none.
    """

    name: str
    title: str
    evidence_for: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    nothing: str
    chart: str | None = None


def write_moment(moment: datetime | None) -> str:
    """Write a moment to the minute, in UTC as events are."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
