"""The page on which a person looks through the misses and false flags of a run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Final

from nlp_redaction.evaluation.findings import Fault, Finding, Piece
from nlp_redaction.evaluation.report import Report
from nlp_redaction.evaluation.tables import list_lines
from nlp_redaction.pages import frame

_CLASS_BY_FAULT: Final = {
    Fault.MISS: "missed",
    Fault.FALSE_FLAG: "flagged",
    Fault.LEFT: "missed",
}
_TITLE_BY_FAULT: Final = {
    Fault.MISS: "Misses",
    Fault.FALSE_FLAG: "False flags",
    Fault.LEFT: "Known identifiers left behind",
}
_WARNING: Final = '<p class="warning">This page quotes the notes. Keep it where you may keep them.</p>'
_EXPLANATION: Final = (
    '<p class="note">A letter or digit of a miss that the search left is '
    '<mark class="missed">underlined</mark>; what it took needlessly looks '
    '<mark class="flagged">like this</mark>, what it took besides '
    "<mark>like this</mark>.</p>"
)
_SCRIPT: Final = """
const form = document.querySelector('form');
const items = [...document.querySelectorAll('ol.findings > li')];
const count = document.querySelector('#count');
form.hidden = false;
function apply() {
  const on = name => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)]
    .map(box => box.value));
  const fault = on('fault'), kind = on('kind'), style = on('style');
  const words = form.elements.words.value.trim().toLowerCase();
  let shown = 0;
  for (const item of items) {
    const fits = fault.has(item.dataset.fault) && kind.has(item.dataset.kind)
      && style.has(item.dataset.style)
      && (!words || item.textContent.toLowerCase().includes(words));
    item.hidden = !fits;
    shown += fits;
  }
  for (const part of document.querySelectorAll('section.kind'))
    part.hidden = !part.querySelector('li:not([hidden])');
  count.textContent = `${shown} of ${items.length} shown`;
}
form.addEventListener('input', apply);
form.addEventListener('submit', event => event.preventDefault());
for (const button of form.querySelectorAll('button[data-all]'))
  button.addEventListener('click', () => {
    const boxes = [...button.closest('fieldset').querySelectorAll('input')];
    const all = boxes.every(box => box.checked);
    for (const box of boxes) box.checked = !all;
    apply();
  });
apply();
"""


def write_page(report: Report, findings: Sequence[Finding]) -> str:
    """Return the page as HTML: the table, then every finding, grouped and filterable."""
    parts = [
        f"<h1>What the search missed and took needlessly ({escape(report.mode)})</h1>",
        _WARNING,
        _write_table(report),
        _write_confusions(report),
        "<h2>One by one</h2>",
        _EXPLANATION,
    ]
    if findings:
        parts.append(_write_form(findings))
        parts += _write_groups(findings)
    else:
        parts.append("<p>There is nothing to show: no miss and no false flag.</p>")
    title = f"Misses and false flags: {report.mode}"
    return frame(title, "\n".join(parts), _SCRIPT if findings else "")


def _write_table(report: Report) -> str:
    heads = "".join(
        f'<th scope="col" class="figure">{escape(group.name)} '
        f"<small>({group.documents:,} notes, {group.words:,} words)</small></th>"
        for group in report.groups
    )
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td class="figure">{escape(value)} <small>{escape(interval)}</small></td>'
            for value, interval in cells
        )
        + "</tr>\n"
        for name, cells in list_lines(report)
    )
    refused = (
        f"<p>{report.refused:,} notes could not be searched and are in no figure.</p>"
        if report.refused
        else ""
    )
    return (
        '<div class="wide"><table><caption>With 95 % intervals, drawn by document'
        f'</caption>\n<thead><tr><th scope="col">Figure</th>{heads}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody></table></div>{refused}"
    )


def _write_confusions(report: Report) -> str:
    if not report.confusions:
        return ""
    lines = "".join(
        f"<tr><td>{escape(marked)}</td><td>{escape(given)}</td>"
        f'<td class="figure">{count:,}</td></tr>\n'
        for marked, given, count in report.confusions
    )
    return (
        "<details><summary>Found, but under another label</summary><table>"
        '<thead><tr><th scope="col">marked as</th><th scope="col">found as</th>'
        f'<th scope="col" class="figure">times</th></tr></thead><tbody>{lines}</tbody>'
        "</table></details>"
    )


def _write_form(findings: Sequence[Finding]) -> str:
    # Without scripts the form stays hidden and everything is shown.
    return (
        "<form hidden>\n"
        + _write_boxes("fault", "What", [finding.fault for finding in findings])
        + _write_boxes("kind", "Kind", [finding.kind for finding in findings])
        + _write_boxes("style", "Style", [finding.style for finding in findings])
        + '<p><label>Words in it: <input type="search" name="words"></label> '
        '<span id="count" role="status" aria-live="polite"></span></p>\n</form>'
    )


def _write_boxes(name: str, legend: str, values: Iterable[str]) -> str:
    boxes = "".join(
        f'<label><input type="checkbox" name="{name}" value="{escape(value)}" checked> '
        f"{escape(value or 'not given')} <small>{count:,}</small></label>"
        for value, count in sorted(Counter(values).items())
    )
    return (
        f"<fieldset><legend>{legend}</legend>{boxes}"
        '<button type="button" data-all>all or none</button></fieldset>\n'
    )


def _write_groups(findings: Sequence[Finding]) -> Iterable[str]:
    for (fault, kind), group in groupby(findings, lambda f: (f.fault, f.kind)):
        some = list(group)
        items = "\n".join(map(_write_item, some))
        yield (
            f'<section class="kind"><h2>{_TITLE_BY_FAULT[fault]}: {escape(kind)} '
            f'<small>({len(some):,})</small></h2>\n<ol class="findings">\n{items}\n'
            "</ol></section>"
        )


def _write_item(finding: Finding) -> str:
    about = ", ".join(
        part
        for part in (finding.note, finding.document, finding.style, finding.because)
        if part
    )
    text = "".join(_write_piece(piece, finding.fault) for piece in finding.pieces)
    return (
        f'<li data-fault="{escape(finding.fault)}" data-kind="{escape(finding.kind)}" '
        f'data-style="{escape(finding.style)}"><blockquote>{text}</blockquote>'
        f'<div class="about"><small>{escape(about)}</small></div></li>'
    )


def _write_piece(piece: Piece, fault: Fault) -> str:
    text = escape(piece.text)
    is_flag = fault is Fault.FALSE_FLAG
    if piece.inside and piece.covered == is_flag:
        return f'<mark class="{_CLASS_BY_FAULT[fault]}">{text}</mark>'
    return f"<mark>{text}</mark>" if piece.covered else text
