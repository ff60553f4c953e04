"""The handbook of the linkage desk says what the program does."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from pseudo_service.cli.linkage.requests import app
from pseudo_service.core.linkage.approval import draw_states
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageOutcome,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage.rules import LOCATE_BASES

HANDBOOK = Path(__file__).parents[2] / "docs" / "linkage.md"
TEXT = HANDBOOK.read_text()


def test_the_diagram_is_that_of_the_table() -> None:
    (diagram,) = re.findall(r"^```mermaid\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert diagram == draw_states()


def test_every_legal_basis_is_explained_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_0-9]+)` \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted(LegalBasis)


def test_what_justifies_locating_is_all_named() -> None:
    (line,) = [line for line in TEXT.splitlines() if line.startswith("To locate")]
    assert set(re.findall(r"`([a-z_]+)`", line)) == set(LOCATE_BASES)


@pytest.mark.parametrize("named", [LinkageOutcome, LinkageVerb, LinkageState])
def test_every_choice_is_mentioned(named: Iterable[str]) -> None:
    plain = TEXT.replace("re-identify", "reidentify")
    assert [each for each in named if each not in plain] == []


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"pseudo linkage ([a-z]+)", TEXT))
    commands = {each.name or each.callback.__name__ for each in app.registered_commands}
    assert {"submit", "review", "redeem", "open", "keygen"} <= named <= commands
