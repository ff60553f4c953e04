"""Every word list is named in the README, with its source, and holds what it says."""

import re
from importlib import resources

import pytest

from nlp_redaction.lexicons import read_lexicon

FOLDER = resources.files("nlp_redaction.lexicons")
NAMES = sorted(each.name.removesuffix(".txt") for each in (FOLDER / "data").iterdir())
ROWS = [
    line
    for line in (FOLDER / "README.md").read_text("utf-8").splitlines()
    if line.startswith("| `")
]
TOLD = [name for row in ROWS for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_the_readme_names_every_list_and_each_once():
    assert set(NAMES) <= set(TOLD)
    assert len(TOLD) == len(set(TOLD))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:30])
def test_every_row_says_what_the_list_is(row):
    assert all(cell.strip() for cell in row.strip("|").split("|"))


@pytest.mark.parametrize("name", NAMES)
def test_every_list_holds_something(name):
    entries = read_lexicon(name)
    assert entries
    assert all(entry == entry.strip().lower() for entry in entries)
