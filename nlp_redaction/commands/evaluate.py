"""``evaluate``: how well a search does on marked notes, as a table, JSON and a page."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from nlp_redaction.commands.rows import open_output
from nlp_redaction.evaluation.cases import read_cases
from nlp_redaction.evaluation.evaluate import evaluate_cases
from nlp_redaction.evaluation.findings import list_findings
from nlp_redaction.evaluation.page import write_page
from nlp_redaction.evaluation.report import Report, make_report
from nlp_redaction.evaluation.tables import make_table
from nlp_redaction.search import Searcher


def run_evaluate(
    finder: Searcher,
    gold: Sequence[Path],
    *,
    mode: str,
    page: str | None = None,
    figures: str | None = None,
    console: Console | None = None,
) -> Report:
    """Print the table and write what was asked for.

    Args:
        finder: What searches.
        gold: Files of marked notes.
        mode: What the report calls the search.
        page: Where the HTML page goes, if anywhere.
        figures: Where the figures go as JSON, ``-`` for standard output in the place
            of the table.
        console: Where the table goes; standard output unless told.

    Raises:
        BrokenInput: A line is no marked note.
        GoldRefused: An inline file is broken.
    """
    evaluated, refused = evaluate_cases(finder, read_cases(gold))
    report = make_report(mode, evaluated, refused)
    if figures is not None:
        _write(figures, json.dumps(report.describe(), indent=2) + "\n")
    if figures != "-":
        (console or Console()).print(make_table(report))
    if page is not None:
        _write(page, write_page(report, list_findings(evaluated)))
    return report


def _write(name: str, content: str) -> None:
    with open_output(name) as file:
        file.write(content.encode("utf-8"))
