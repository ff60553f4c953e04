"""The evidence pack on disk: a page that runs nothing, and tables for spreadsheets."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pseudo_service.cli.audit.evidence_pages import (
    Verification,
    render_page,
    write_pack,
)
from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.core.audit.events import AuditFault, AuditFinding, AuditVerdict
from tests.lib.values.evidence import MADE_AT, make_evidence

EVIDENCE = make_evidence()
UNVERIFIED = Verification.unverified("Nobody did.", "An auditor can.")
VERDICT = AuditVerdict(
    findings=(),
    events=120,
    chains=2,
    checkpoints=3,
    unanchored_events=1,
    anchored_until=MADE_AT,
)
VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Elements, attributes and headings of a page; unbalanced tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_fetches_and_runs_nothing() -> None:
    page = Page(render_page(EVIDENCE, UNVERIFIED))
    names = {name for name, _ in page.attributes}
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {name for name in names if name.startswith("on")} | {"src"} & names
    assert all(
        str(value).startswith("#") for name, value in page.attributes if name == "href"
    )
    assert ("lang", "en-GB") in page.attributes
    assert page.tags.count("section") == len(EVIDENCE.tables)


def test_every_table_s_purpose_is_on_the_page() -> None:
    text = Page(render_page(EVIDENCE, UNVERIFIED)).text
    for table in EVIDENCE.tables:
        assert table.title in text
        assert table.evidence_for in text
    assert "1, of which 1 await" in text
    assert "920" in text  # rows kept back


def test_what_people_wrote_is_text_and_nothing_else() -> None:
    table = replace(EVIDENCE.tables[0], title="<script>alert(1)</script>")
    evidence = replace(EVIDENCE, tables=(table, *EVIDENCE.tables[1:]))
    page = Page(render_page(evidence, UNVERIFIED))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize(
    ("verdict", "state", "words"),
    [
        (VERDICT, "sound", "verified and is sound"),
        (replace(VERDICT, anchored_until=None), "sound", "No checkpoint lies outside"),
        (
            replace(
                VERDICT,
                findings=(
                    AuditFinding(
                        fault=AuditFault.EVENT_EDITED, chain="worker-1", sequence=4
                    ),
                ),
            ),
            "unsound",
            "NOT sound",
        ),
    ],
)
def test_the_verdict_leads_the_page(
    verdict: AuditVerdict, state: str, words: str
) -> None:
    verification = Verification.of(verdict)
    assert verification.state == state
    assert words in Page(render_page(EVIDENCE, verification)).text


def test_a_pack_is_a_page_and_a_csv_file_a_table(tmp_path: Path) -> None:
    page = write_pack(EVIDENCE, UNVERIFIED, tmp_path / "new" / "pack")
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"evidence.html", *(f"{t.name}.csv" for t in EVIDENCE.tables)}
    for table in EVIDENCE.tables:
        path = page.parent / f"{table.name}.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            headers, *rows = csv.reader(file)
        assert tuple(headers) == table.headers
        assert [tuple(row) for row in rows] == list(table.rows)


def test_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    table = replace(EVIDENCE.tables[0], rows=[("=1+1",) * 14])
    evidence = replace(EVIDENCE, tables=(table, *EVIDENCE.tables[1:]))
    page = write_pack(evidence, UNVERIFIED, tmp_path / "pack")
    assert "\n'=1+1," in (page.parent / f"{table.name}.csv").read_text("utf-8-sig")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        write_pack(EVIDENCE, UNVERIFIED, tmp_path)
