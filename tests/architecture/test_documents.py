"""What the documents name exists, and what they must list is listed."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pseudo_service.adapters.telemetry.logs import FIELDS
from pseudo_service.adapters.telemetry.metrics import Metrics
from pseudo_service.core.error_codes import ErrorCode

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROPERTIES = DOCS / "security-properties.md"
OPERATIONS = DOCS / "operations.md"
DECISIONS = DOCS / "adr"
SOURCES = (".py", ".toml", ".sh", ".proto", ".yaml")
NOT_OURS = {".git", ".hypothesis", ".pytest_cache", "node_modules", ".venv", "build"}

IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
A_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
A_FILE = re.compile(r"[\w.\-]+(?:/[\w.\-]+)+\.(?:py|md|yaml|proto|toml)")
A_LINK = re.compile(r"\]\(([^)\s]+)\)")
A_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
A_MACHINE_S_PATH = re.compile(r"(?<![\w.])/(?:work|home|root|Users|mnt|tmp)/\w")
AN_ISSUE = re.compile(r"(?<![\w&/])(?<!PKCS )#\d+\b|\b(?:issues?|pull)/\d+|\bGH-\d+")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def find_documents() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not NOT_OURS & set(path.relative_to(ROOT).parts)
    )


DOCUMENTS = find_documents()


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)


def find_quoted(path: Path) -> Iterator[str]:
    yield from IN_BACKTICKS.findall(FENCED.sub("", path.read_text()))


def find_functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_there_is_something_to_read() -> None:
    names = {name_of(path) for path in DOCUMENTS}
    assert {"README.md", "CHANGELOG.md", "GLOSSARY.md", "deploy/README.md"} <= names
    assert {name_of(PROPERTIES), name_of(OPERATIONS)} <= names


def test_every_test_that_is_named_exists() -> None:
    named = [
        A_TEST.fullmatch(quoted)
        for path in DOCUMENTS
        for quoted in find_quoted(path)
        if "::" in quoted and quoted.startswith("tests/")
    ]
    assert len(named) > 80
    assert all(named), "a test is named as tests/PATH.py::test_name"
    missing = [
        found[0]
        for found in named
        if found
        and not (
            (ROOT / found[1]).is_file() and found[2] in find_functions(ROOT / found[1])
        )
    ]
    assert missing == []


def exists_somewhere(named: str, beside: Path) -> bool:
    rooms = (ROOT, beside, ROOT / "pseudo_service", ROOT / "clients" / "python")
    return any((room / named).exists() for room in rooms)


def test_every_file_that_is_named_exists() -> None:
    named = [
        (path, quoted)
        for path in DOCUMENTS
        for quoted in find_quoted(path)
        if A_FILE.fullmatch(quoted)
    ]
    assert len(named) > 60
    lost = [
        f"{name_of(path)}: {quoted}"
        for path, quoted in named
        if not exists_somewhere(quoted, path.parent)
    ]
    assert lost == []


def read_property_rows() -> list[list[str]]:
    lines = PROPERTIES.read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [row for row in rows if len(row) > 2 and not set(row[-1]) <= set("-: ")]


def test_every_property_names_a_test_or_says_that_there_is_none() -> None:
    rows = [row for row in read_property_rows() if row[-1] != "fails if not"]
    assert len(rows) > 50
    silent = [
        row[-3]
        for row in rows
        if not A_TEST.search(row[-1]) and not row[-1].startswith("no test yet")
    ]
    assert silent == []


def test_the_eight_are_all_there() -> None:
    numbered = [row[0] for row in read_property_rows() if row[0].isdigit()]
    assert numbered == [str(number) for number in range(1, 9)]


def read_first_cells(path: Path) -> list[str]:
    rows = re.findall(r"^\| `([^`]+)` \|", path.read_text(), re.MULTILINE)
    return [str(row) for row in rows]


def test_operators_are_told_about_every_code_in_order() -> None:
    codes = [cell for cell in read_first_cells(OPERATIONS) if cell.isupper()]
    assert codes == [code.value for code in ErrorCode]


def test_operators_are_told_about_every_metric() -> None:
    metrics = Metrics(methods=[], cell_codes=[])
    exported = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.registry.collect()
    }
    listed = {cell for cell in read_first_cells(OPERATIONS) if cell.islower()}
    assert exported <= listed
    assert {cell for cell in listed if cell.startswith("pseudo_")} == exported


def test_operators_are_told_about_every_field_of_the_log() -> None:
    text = OPERATIONS.read_text()
    section = text[text.index("## Logs") : text.index("## By the clock")]
    assert set(FIELDS) <= set(IN_BACKTICKS.findall(section))


def find_anchors(path: Path) -> set[str]:
    headings = A_HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in A_LINK.findall(FENCED.sub("", path.read_text())):
        if link.startswith(("https://", "mailto:")):
            continue
        named, _, anchor = link.partition("#")
        target = (path.parent / named).resolve() if named else path
        if not target.exists() or (anchor and anchor not in find_anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_decision_is_in_the_index() -> None:
    decisions = {path.name for path in DECISIONS.glob("[0-9]*.md")}
    index = (DECISIONS / "README.md").read_text()
    rows = re.findall(r"^\| (\d+) \| \[[^\]]+\]\(([^)]+)\) \|", index, re.MULTILINE)
    assert {name for _, name in rows} == decisions
    assert [int(number) for number, _ in rows] == sorted(
        int(name[:4]) for name in decisions
    )


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("[0-9]*.md")), ids=name_of)
def test_a_decision_has_its_parts(path: Path) -> None:
    text = path.read_text()
    number = int(path.name[:4])
    assert text.startswith(f"# {number}. ")
    assert re.search(r"^Status: \w+", text, re.MULTILINE)
    assert re.search(r"\A# .+\n\nDate: \d{4}-\d{2}-\d{2}\n", text)
    assert len(text.splitlines()) <= 80, "a decision is a page"


@every_document
def test_no_path_of_a_machine_and_no_number_of_an_issue(path: Path) -> None:
    text = path.read_text()
    found = [*A_MACHINE_S_PATH.finditer(text), *AN_ISSUE.finditer(text)]
    assert [match[0] for match in found] == []


def test_no_source_reaches_outside_the_checkout() -> None:
    """A file that one machine keeps beside its checkout is missing on every other."""
    reach = re.compile(rf"{A_MACHINE_S_PATH.pattern}|\bROOT\.parent\b")
    found = {
        name_of(path): [match[0] for match in reach.finditer(path.read_text())]
        for suffix in SOURCES
        for path in ROOT.rglob(f"*{suffix}")
        if not NOT_OURS & set(path.relative_to(ROOT).parts)
    }
    assert len(found) > 500
    found.pop(name_of(Path(__file__)))
    assert {name: places for name, places in found.items() if places} == {}


def write_release(folder: Path, stays: dict[str, list[str]]) -> None:
    folder.mkdir(parents=True)
    rows = [
        (who, datetime.fromisoformat(day))
        for who, days in stays.items()
        for day in days
    ]
    columns = {
        "patient": [who for who, _ in rows],
        "admitted": [day for _, day in rows],
    }
    pq.write_table(pa.table(columns), folder / "part-00000-00000.parquet")


def test_the_script_that_links_rows_links_them(tmp_path: Path) -> None:
    """Three patients: one with intervals of her own, two who share theirs."""
    (script,) = re.findall(
        r"^```python\n(.*?)^```", PROPERTIES.read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "intervals.py").write_text(script)
    one = {
        "A-ada": ["2020-01-01", "2020-01-11T10:00", "2020-03-01"],
        "A-ben": ["2020-01-01", "2020-01-03"],
        "A-cyd": ["2021-01-01", "2021-01-03"],
        "A-dan": ["2021-01-01"],
    }
    other = {
        "B-" + who[2:]: [f"2019{day[4:]}" if "2021" in day else day for day in days]
        for who, days in one.items()
    }
    released = tmp_path / "linkability" / "released"
    write_release(released / "asthma-outcomes" / "admissions", one)
    write_release(released / "heart-failure" / "admissions", other)
    done = subprocess.run(
        [sys.executable, "intervals.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "3 patients with two admissions or more, 1 unique," in done.stdout
    assert "1 with exactly one partner" in done.stdout
