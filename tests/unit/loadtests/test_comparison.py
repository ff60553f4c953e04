"""Two checkouts are compared by pairs, and each runs its own modules."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.comparison import (
    Checkout,
    compare,
    compare_programs,
    divide,
    list_figures,
    list_own_arguments,
    take_medians,
)


def test_a_figure_is_the_median_of_its_rounds() -> None:
    rounds: list[Any] = [{"a": {"b": one}} for one in (5, 1, 2)]
    assert take_medians(rounds) == {"a": {"b": 2}}


def test_a_figure_that_a_round_lacks_is_left_out() -> None:
    assert take_medians([{"a": 1, "b": 2}, {"b": 4}]) == {"b": 3}


def test_a_ratio_is_of_this_checkout_over_the_other() -> None:
    assert divide({"a": {"b": 3}}, {"a": {"b": 2}}) == {"a": {"b": 1.5}}


def test_there_is_no_ratio_to_nothing() -> None:
    assert divide({"a": 1, "b": 2, "c": 3}, {"a": 0, "c": 3}) == {"c": 1}


def test_ratios_are_taken_of_pairs_before_their_median() -> None:
    ours, theirs = [{"a": 1}, {"a": 4}, {"a": 9}], [{"a": 1}, {"a": 2}, {"a": 3}]
    compared = compare(ours, theirs)
    assert compared["here"] == {"a": 4}
    assert compared["against"] == {"a": 2}
    assert compared["ratio"] == {"a": 2}
    assert compare([{"a": 8}, {"a": 1}], [{"a": 2}, {"a": 1}])["ratio"] == {"a": 2.5}


def test_a_person_reads_one_line_a_figure() -> None:
    lines = list_figures({"here": {"a": 1234.5}, "pairs": 3})
    assert [line.split() for line in lines] == [
        ["here.a", "1,234.50"],
        ["pairs", "3.00"],
    ]


def test_the_other_checkout_gets_only_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [
        "x.py",
        "--quick",
        "--against",
        "/d",
        "--json",
        "--python",
        "/p",
        "--pairs",
        "9",
        "--rounds",
        "3",
    ]
    monkeypatch.setattr(sys, "argv", given)
    assert list_own_arguments() == ["--quick", "--rounds", "3"]


@pytest.fixture
def order(tmp_path: Path) -> Path:
    return tmp_path / "order"


def make_checkout(folder: Path, order: Path) -> Checkout:
    """Return a tree whose program tells its name, arguments and own modules."""
    (folder / "loadtests").mkdir(parents=True)
    (folder / "pseudo_service.py").touch()
    program = f"""
import json, sys, pseudo_service
with open({str(order)!r}, "a") as order:
    order.write({folder.name!r})
print(json.dumps({{"arguments": len(sys.argv) - 1, "own": pseudo_service.__file__ ==
    {str(folder / "pseudo_service.py")!r}}}))
"""
    (folder / "loadtests" / "probe.py").write_text(program)
    return Checkout(folder=folder)


def test_checkouts_take_turns_and_import_their_own_modules(
    tmp_path: Path, order: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = (make_checkout(tmp_path / name, order) for name in "ab")
    monkeypatch.setattr("loadtests.comparison.HERE", ours)
    compared = compare_programs("probe.py", ["--x"], other, pairs=2)
    assert order.read_text() == "abab"
    same = {"arguments": 2, "own": 1}
    assert json.loads(json.dumps(compared)) == {
        "here": same,
        "against": same,
        "ratio": {"arguments": 1, "own": 1},
        "pairs": 2,
    }
