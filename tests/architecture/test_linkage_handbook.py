"""The handbook of the linkage desk says what the program does."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from docs.linkage_diagram import HANDBOOK, draw_states, insert_diagram
from pseudo_service.cli.linkage.requests import app
from pseudo_service.core.linkage.approval import TRANSITIONS
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageOutcome,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage.rules import LOCATE_BASES

RELEASE = Path(__file__).parents[2] / "pseudo_service/engine/linkage/release.py"
TEXT = HANDBOOK.read_text()


def test_the_diagram_is_that_of_the_table() -> None:
    assert insert_diagram(TEXT) == TEXT


def test_the_diagram_draws_every_step() -> None:
    drawn = draw_states().splitlines()
    assert drawn[0] == "stateDiagram-v2"
    steps = sum(map(len, TRANSITIONS.values()))
    assert (
        len([line for line in drawn if " --> " in line and "[*]" not in line]) == steps
    )
    assert "    approved --> released: release" in drawn
    assert "    disputed --> [*]" in drawn


@pytest.mark.parametrize("diagrams", [0, 2])
def test_the_diagram_has_exactly_one_place(diagrams: int) -> None:
    block = "```mermaid\nstateDiagram-v2\n    [*] --> gone: away\n```\n"
    with pytest.raises(ValueError, match=f"has {diagrams} state"):
        insert_diagram("# Handbook\n" + block * diagrams)


def test_a_diagram_of_another_table_is_replaced() -> None:
    edited = TEXT.replace("submitted --> rejected", "submitted --> released")
    assert edited != TEXT
    assert insert_diagram(edited) == TEXT


def test_the_steps_of_redeeming_are_those_of_the_code() -> None:
    source = re.findall(r"^ +# (\d+)\. ([^.]+)\.", RELEASE.read_text(), re.MULTILINE)
    handbook = re.findall(r"^(\d+)\. \*\*([^.]+)\.\*\*", TEXT, re.MULTILINE)
    assert handbook == source
    assert [int(number) for number, _ in source] == list(range(1, len(source) + 1))


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
