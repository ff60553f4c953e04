"""The table of an evaluation, line by line, for a terminal or a page."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group as Several
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from nlp_redaction.evaluation.bootstrap import Figure
from nlp_redaction.evaluation.report import PER_WORDS, Group, Report

Cell = tuple[str, str]
"""A figure and its interval, written."""

_NOTHING: Cell = ("-", "")
_INTERVAL_WIDTH: Final = len("(0.950-0.988,")
"""A narrow terminal breaks a cell between interval and counts, never inside them."""


def list_lines(report: Report) -> Iterator[tuple[str, list[Cell]]]:
    """Yield the name of each figure and a cell for each group of notes."""
    groups = report.groups
    yield "recall, all kinds", [show_share(group.recall) for group in groups]
    for kind in groups[0].by_kind:
        yield (
            f"recall, {kind}",
            [show_share(group.by_kind.get(kind)) for group in groups],
        )
    yield "notes with any leak", [show_share(group.leaking) for group in groups]
    yield (
        f"needless tokens per {PER_WORDS:,} words",
        [show_rate(group.needless) for group in groups],
    )
    if any(group.left_behind for group in groups):
        yield (
            "known identifiers left behind",
            [show_share(group.left_behind) for group in groups],
        )


def show_share(figure: Figure | None) -> Cell:
    """Write a share with its counts and interval."""
    if figure is None or figure.value is None:
        return _NOTHING
    return (
        f"{figure.value:.3f}",
        f"{figure.low:.3f}-{figure.high:.3f}, {figure.count:,}/{figure.of:,}",
    )


def show_rate(figure: Figure) -> Cell:
    """Write a rate with its interval."""
    if figure.value is None:
        return _NOTHING
    return f"{figure.value:.1f}", f"{figure.low:.1f}-{figure.high:.1f}"


def make_table(report: Report) -> RenderableType:
    """Return what a terminal shows of a report."""
    table = Table(
        title=f"Mode {report.mode}, with 95 % intervals, drawn by document",
        title_justify="left",
    )
    table.add_column("figure")
    for group in report.groups:
        table.add_column(_head(group), justify="right", min_width=_INTERVAL_WIDTH)
    for name, cells in list_lines(report):
        table.add_row(name, *(_join(*cell) for cell in cells))
    parts: list[RenderableType] = [table]
    if report.confusions:
        parts.append(_make_confusions(report))
    if report.refused:
        parts.append(
            Text(f"{report.refused:,} notes could not be searched; in no figure.")
        )
    return Several(*parts)


def _head(group: Group) -> str:
    return f"{group.name}\n{group.documents:,} notes\n{group.words:,} words"


def _join(value: str, interval: str) -> Text:
    return Text.assemble((value, "bold"), (f" ({interval})" if interval else "", "dim"))


def _make_confusions(report: Report) -> Table:
    table = Table(title="Found, but under another label", title_justify="left")
    for name in ("marked as", "found as"):
        table.add_column(name)
    table.add_column("times", justify="right")
    for marked, given, count in report.confusions:
        table.add_row(marked, given, f"{count:,}")
    return table
