"""``explain``: a text in colour with what was found in it, by whom and why."""

from collections.abc import Iterator
from html import escape
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlp_redaction.commands.explanation import HEADS, Explanation, Line, list_lines
from nlp_redaction.document.spans import Label
from nlp_redaction.pages import frame

_COLOUR_BY_LABEL: Final = {
    Label.NAME: "bold white on dark_red",
    Label.DATE: "bold black on dark_goldenrod",
    Label.NHS_NUMBER: "bold white on purple4",
    Label.ID: "bold white on purple4",
    Label.PHONE: "bold white on dark_green",
    Label.EMAIL: "bold white on dark_green",
    Label.URL: "bold white on dark_green",
    Label.ADDRESS: "bold white on navy_blue",
    Label.POSTCODE: "bold white on navy_blue",
    Label.LOCATION: "bold white on navy_blue",
    Label.ORG: "bold white on navy_blue",
    Label.AGE_90_PLUS: "bold black on dark_goldenrod",
}
_OTHER_STYLES: Final = {"hint only": "underline yellow", "protected": "italic green"}
_WARNING: Final = (
    '<p class="warning">This page quotes the text. Keep it where you may keep it.</p>'
)


def show(explanation: Explanation, console: Console) -> None:
    """Print the text in colour, then the table."""
    console.print(colour(explanation), soft_wrap=True)
    console.print()
    console.print(_make_table(list_lines(explanation)))


def colour(explanation: Explanation) -> Text:
    """Return the text with what is removed, hinted at and protected in colour.

    Each removed stretch is followed by its label, so that it can be read without colour.
    """
    text = Text()
    at = 0
    for span in explanation.found:
        text.append_text(_colour_rest(explanation, at, span.start))
        words = explanation.text[span.start : span.end]
        text.append(words, _COLOUR_BY_LABEL[span.label])
        text.append(f"[{span.label.value}]", "dim")
        at = span.end
    text.append_text(_colour_rest(explanation, at, len(explanation.text)))
    return text


def _colour_rest(explanation: Explanation, start: int, end: int) -> Text:
    # Rich drops control signs, which would move every later offset: they are shown.
    plain = "".join(
        sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for sign in explanation.text[start:end]
    )
    rest = Text(plain)
    for style, stretches in (
        ("protected", [term.bounds for term in explanation.protected]),
        ("hint only", [(hint.start, hint.end) for hint in explanation.hints]),
    ):
        for first, last in stretches:
            if first < end and start < last:
                rest.stylize(
                    _OTHER_STYLES[style], max(first - start, 0), min(last, end) - start
                )
    return rest


def _make_table(lines: list[Line]) -> Table:
    table = Table(title=None, show_lines=False)
    for head in HEADS:
        table.add_column(head, overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in _list_cells(line)))
    return table


def _list_cells(line: Line) -> list[str]:
    return [" ".join(str(getattr(line, head)).split()) for head in HEADS]


def write_page(explanation: Explanation) -> str:
    """Return the same as a page of HTML."""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    lines = "\n".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in _list_cells(line))
        + "</tr>"
        for line in list_lines(explanation)
    )
    body = (
        f"<h1>What was found, and why</h1>\n{_WARNING}\n"
        f"<pre>{''.join(_mark(explanation))}</pre>\n"
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody></table></div>"
    )
    return frame("What was found, and why", body)


def _mark(explanation: Explanation) -> Iterator[str]:
    at = 0
    for span in explanation.found:
        yield escape(explanation.text[at : span.start])
        yield (
            f'<mark class="flagged" title="{escape(span.recogniser)}: '
            f'{escape(span.reason)}">{escape(explanation.text[span.start : span.end])}'
            f"<sup>{span.label.value}</sup></mark>"
        )
        at = span.end
    yield escape(explanation.text[at:])
