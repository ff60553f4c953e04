"""The progress of a run: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from pseudo_service.cli.console.output import count, warn

_SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """What a run reports while it goes on."""

    def begin_part(self, stem: str) -> None:
        """A part begins, or begins again: its rows so far do not count."""
        ...

    def advance(self, rows: int) -> None:
        """Count rows of the part that were answered."""
        ...

    def end_part(self) -> None:
        """The part counts."""
        ...

    def say(self, text: str) -> None:
        """Print a sentence for the person at the console."""
        ...


class _Tally:
    """Rows that count, and those of the part in hand."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._kept = 0
        self._part = 0
        self._stem = ""

    def begin_part(self, stem: str) -> None:
        self._stem, self._part = stem, 0

    def advance(self, rows: int) -> None:
        self._part += rows

    def end_part(self) -> None:
        self._kept, self._part = self._kept + self._part, 0

    @property
    def text(self) -> str:
        rows = self._kept + self._part
        seconds = max(time.monotonic() - self._begun, 1e-3)
        return f"{self._stem}: {count(rows)} rows, {count(int(rows / seconds))} rows/s"


class _LineProgress(_Tally):
    """Plain lines on standard error every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._said = time.monotonic()

    def advance(self, rows: int) -> None:
        """Count the rows, and print a line if it is time."""
        super().advance(rows)
        if time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self.say(self.text)

    def say(self, text: str) -> None:
        """Print a line."""
        self._said = time.monotonic()
        warn(text)


class _BarProgress(_Tally):
    """A moving line on a terminal."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def begin_part(self, stem: str) -> None:
        """Show the part."""
        super().begin_part(stem)
        self._bar.update(self._task, description=self.text)

    def advance(self, rows: int) -> None:
        """Count and show it."""
        super().advance(rows)
        self._bar.update(self._task, description=self.text)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show progress on standard error until the block ends."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _LineProgress()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        yield _BarProgress(bar)
